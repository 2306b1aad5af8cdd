// Puts the site's own address into what is to be quoted, and copies it.
(function () {
  "use strict";
  var STAND_IN = "https://SITE/";
  var told = document.getElementById("told");
  if (!told) { return; }

  // A page in a folder has no address that others could follow.
  if (location.protocol === "http:" || location.protocol === "https:") {
    var site = new URL("../../", location.href).href;
    document.querySelectorAll(".quoted code").forEach(function (code) {
      code.textContent = code.textContent.split(STAND_IN).join(site);
    });
    document.querySelector(".unknown-site").hidden = true;
  }

  function select(code) {
    var range = document.createRange();
    range.selectNodeContents(code);
    var selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }
  function byHand(code) {
    select(code);
    var done = false;
    try { done = document.execCommand("copy"); } catch (error) { done = false; }
    told.textContent = done ? "Copied." : "Selected: press Ctrl+C, or Cmd+C, to copy.";
  }
  document.querySelectorAll(".copy").forEach(function (button) {
    var code = document.querySelector("#" + button.dataset.copies + " + .quoted code");
    button.hidden = false;
    button.addEventListener("click", function () {
      told.textContent = "";
      if (!navigator.clipboard) { byHand(code); return; }
      navigator.clipboard.writeText(code.textContent).then(
        function () { told.textContent = "Copied."; },
        function () { byHand(code); });
    });
  });
})();
