// A leaderboard's filter by constraint, and prices that the reader can change.
(function () {
  "use strict";

  function each(selector, action, within) {
    Array.from((within || document).querySelectorAll(selector)).forEach(action);
  }
  function inWords(value) {
    return value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
  }

  // Prices: what a unit of work costs follows from the hours that it takes.
  function recompute(row) {
    var input = row.querySelector("input");
    var perHour = parseFloat(input.value);
    var known = isFinite(perHour) && perHour > 0;
    var cost = perHour * parseFloat(row.dataset.hours);
    var currency = row.dataset.currency || "";
    var units = parseFloat(row.dataset.units);
    row.querySelector(".cost").textContent = known ? (inWords(cost) + " " + currency).trim() : "–";
    row.querySelector(".per-unit").textContent = known
      ? inWords(units / cost) + " " + row.closest("table").dataset.noun + " per " + (currency || "unit of money")
      : "–";
    var told = row.querySelector(".changed");
    if (!told) {
      told = document.createElement("span");
      told.className = "changed muted";
      told.textContent = " yours";
      input.parentNode.append(told);
    }
    told.hidden = input.value === input.defaultValue;
  }
  each("table.prices", function (table) {
    table.addEventListener("input", function (event) { recompute(event.target.closest("tr")); });
    document.querySelector(".reset-prices").addEventListener("click", function () {
      each("tbody tr", function (row) {
        var input = row.querySelector("input");
        input.value = input.defaultValue;
        recompute(row);
      }, table);
    });
  });

  // The filter: a pressed button keeps the results that were held to its limit.
  var filter = document.querySelector(".filter");
  if (!filter) { return; }
  var buttons = Array.from(filter.querySelectorAll("button"));
  var told = filter.querySelector("[role=status]");

  function apply(limit) {
    var shown = 0, rows = 0;
    each("tr[data-limits]", function (row) {
      var keep = !limit || JSON.parse(row.dataset.limits).indexOf(limit) >= 0;
      row.hidden = !keep;
      if (row.closest("table.ranking")) { rows += 1; shown += keep ? 1 : 0; }
    });
    each(".part.later", function (part) {
      part.hidden = !part.querySelector("tbody tr:not([hidden])");
    });
    buttons.forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.value === limit));
    });
    told.textContent = limit
      ? shown + " of " + rows + " results: " + limit + ". Ranks are those among all."
      : "";
  }
  // A page from a file may not change its address; the filter then lasts for the page.
  function keep(limit) {
    try {
      history.replaceState(null, "", limit ? "?limit=" + encodeURIComponent(limit) : location.pathname);
    } catch (error) { return; }
  }
  buttons.forEach(function (button) {
    button.addEventListener("click", function () { apply(button.value); keep(button.value); });
  });
  filter.hidden = false;
  var asked = new URLSearchParams(location.search).get("limit") || "";
  if (buttons.some(function (button) { return button.value === asked; })) {
    apply(asked);
  } else {
    apply("");
    told.textContent = "No result here was held to the limit that the address asks for; all are shown.";
  }
})();
