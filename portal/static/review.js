// Review pages: what concerns one organisation, and the command that objects.
(function () {
  "use strict";

  function all(selector, within) {
    return Array.from((within || document).querySelectorAll(selector));
  }
  var asked = new URLSearchParams(location.search);

  // The filter keeps tasks that wait for an organisation, and bundles that it has to do with.
  function filter(choice, told) {
    function apply() {
      var whose = choice.value, shown = 0, counted = 0;
      all("[data-whose]").forEach(function (each) {
        each.hidden = whose !== "" && each.dataset.whose.split(" ").indexOf(whose) < 0;
        if (each.matches("tr")) { counted += 1; shown += each.hidden ? 0 : 1; }
      });
      all(".state").forEach(function (state) { state.hidden = !all("li.card:not([hidden])", state).length; });
      all(".round").forEach(function (round) {
        all(".nothing", round).forEach(function (word) { word.hidden = all("tr[data-whose]:not([hidden])", round).length > 0; });
      });
      told.textContent = whose ? shown + " of " + counted + " tasks wait for " + whose + "." : "";
    }
    // A page from a file may not change its address; the filter then lasts for the page.
    function keep() {
      try {
        history.replaceState(null, "", choice.value ? "?for=" + encodeURIComponent(choice.value) : location.pathname);
      } catch (error) { return; }
    }
    var name = asked.get("for") || "";
    var known = Array.from(choice.options).some(function (option) { return option.value === name; });
    choice.value = known ? name : "";
    apply();
    if (!known) { told.textContent = "Nobody of that name takes part here; everything is shown."; }
    choice.addEventListener("change", function () { apply(); keep(); });
    choice.closest(".filter").hidden = false;
  }

  // The command: what is typed or asked for in the address, in place of the words in capitals.
  function quoted(text) {
    return /^[A-Za-z0-9_.,:\/@%+=-]+$/.test(text) ? text : "'" + text.replace(/'/g, "'\"'\"'") + "'";
  }
  function compose(form, code) {
    function say() {
      var typed = form.elements;
      var place = (typed.file.value.trim() || "FILE") + ":" + (typed.lines.value.trim() || "FIRST-LAST");
      code.textContent = "levelfield review object " + code.dataset.bundle +
        " --folder submissions/rounds/" + code.dataset.round +
        " --rule " + quoted(typed.rule.value.trim() || "RULE") +
        " --at " + quoted(place) +
        " --text " + quoted(typed.text.value.trim() || "WHAT IS WRONG");
    }
    ["rule", "file", "lines", "text"].forEach(function (name) {
      form.elements[name].value = asked.get(name) || "";
    });
    form.addEventListener("input", say);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.hidden = false;
    say();
  }

  var choice = document.getElementById("whose");
  if (choice) { filter(choice, choice.closest(".filter").querySelector("[role=status]")); }
  var form = document.querySelector("form.object");
  if (form) { compose(form, document.getElementById("objection")); }
})();
