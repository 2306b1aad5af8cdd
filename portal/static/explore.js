// The table of all results: filters, order, groups, columns and pages over rows that results.js brings.
(function () {
  "use strict";
  var rowsOf = window.levelfieldRows, stateOf = window.levelfieldState;
  var draw = window.levelfieldDraw, make = draw.make;
  var form = document.querySelector("form.explore");
  var region = document.querySelector(".explore-table");
  var table = region.querySelector("table");
  var pager = document.querySelector(".pager");
  var data, state, order, found;

  function inWords(count) { return count.toLocaleString("en-GB"); }
  function results(count) { return inWords(count) + (count === 1 ? " result" : " results"); }
  function shown() { return state.cols.map(function (name) { return data.named[name]; }); }

  function drawRows() {
    var from = (state.page - 1) * data.drawn;
    draw.rows(table, data, shown(), found.rows.slice(from, from + data.drawn), data.named[state.group],
      function (group) { return results(found.counts.get(group)); });
  }
  // Each group with its count; one that can be filtered by is a button that does so.
  function drawGroups() {
    var list = form.querySelector(".groups"), column = data.named[state.group];
    list.hidden = !column;
    list.replaceChildren.apply(list, Array.from(found.counts).slice(0, data.drawn).map(function (pair) {
      var item = make("li"), made = make(column.filtered ? "button" : "span", undefined, "only");
      if (column.filtered) {
        made.type = "button";
        made.value = column.keys[pair[0]];
      }
      made.append(make("bdi", column.texts[pair[0]]), make("span", inWords(pair[1]), "num"));
      item.append(made);
      return item;
    }));
  }
  function drawPager() {
    var pages = lastPage(), from = (state.page - 1) * data.drawn;
    var to = Math.min(from + data.drawn, found.rows.length);
    pager.hidden = pages < 2;
    pager.querySelector(".previous").setAttribute("aria-disabled", String(state.page === 1));
    pager.querySelector(".next").setAttribute("aria-disabled", String(state.page === pages));
    pager.querySelector(".where").textContent =
      "Rows " + inWords(from + 1) + " to " + inWords(to) + " of " + inWords(found.rows.length);
    form.querySelector(".count").textContent = inWords(found.rows.length) + " of " +
      inWords(data.ids.length) + " shown" + (pages > 1 ? ", page " + state.page + " of " + pages : "");
  }
  function lastPage() { return Math.max(1, Math.ceil(found.rows.length / data.drawn)); }

  // A page from a file may not change its address; the link to the view is right all the same.
  function keep() {
    var search = stateOf.write(data, state);
    form.querySelector(".permalink").setAttribute("href", search || "index.html");
    try { history.replaceState(null, "", search || location.pathname); } catch (error) { return; }
  }

  function show() {
    var rows = rowsOf.find(data, order, state.q, state.chosen);
    var column = data.named[state.group];
    found = { rows: rows, counts: column ? rowsOf.groups(column, rows) : new Map() };
    state.page = Math.min(state.page, lastPage());
    drawRows();
    drawGroups();
    drawPager();
    keep();
  }
  function reorder() {
    order = rowsOf.order(data, state.group, state.sort, state.descending);
    draw.order(table, state.sort, state.descending);
    show();
  }
  function turn(step) {
    if (state.page + step < 1 || state.page + step > lastPage()) { return; }
    state.page += step;
    show();
    region.scrollTop = 0;
    if (region.getBoundingClientRect().top < 0) { region.scrollIntoView(); }
  }

  // The form, filled from the data and from what was chosen.
  function option(select, name, text) {
    var made = make("option", text);
    made.value = name;
    select.append(made);
  }
  function fillForm() {
    data.columns.forEach(function (column, at) {
      if (column.filtered) {
        column.keys.forEach(function (key, code) {
          option(form.elements[column.name], key, column.texts[code]);
        });
      }
      if (!column.numbers) { option(form.elements.group, column.name, column.title.toLowerCase()); }
      if (at) { form.querySelector(".boxes").append(box(column)); }
    });
  }
  function box(column) {
    var made = make("label"), input = make("input");
    input.type = "checkbox";
    input.value = column.name;
    made.append(input, " " + column.title);
    return made;
  }
  function showState() {
    form.elements.q.value = state.q;
    form.elements.group.value = state.group;
    data.columns.forEach(function (column) {
      if (column.filtered) { form.elements[column.name].value = state.chosen[column.name] || ""; }
    });
    form.querySelectorAll(".boxes input").forEach(function (input) {
      input.checked = state.cols.indexOf(input.value) >= 0;
    });
  }
  function say(lines) {
    var told = form.querySelector(".told");
    told.replaceChildren.apply(told, lines.map(function (each) { return make("p", each); }));
    told.hidden = !lines.length;
  }

  function chosen(event) {
    var field = event.target;
    state.page = 1;
    if (field.name === "q") { state.q = field.value.trim(); show(); }
    else if (field.name === "group") { state.group = field.value; reorder(); }
    else if (field.type === "checkbox") { chooseColumns(); }
    else {
      if (field.value) { state.chosen[field.name] = field.value; } else { delete state.chosen[field.name]; }
      show();
    }
  }
  function chooseColumns() {
    var boxes = Array.from(form.querySelectorAll(".boxes input"));
    state.cols = [data.columns[0].name].concat(boxes.filter(function (each) { return each.checked; })
      .map(function (each) { return each.value; }));
    draw.names(table, shown());
    draw.order(table, state.sort, state.descending);
    show();
  }
  function begin(next) {
    state = next;
    showState();
    draw.names(table, shown());
    reorder();
  }

  // Where the clipboard is closed, as in some pages from files, a selection is copied instead.
  function copy(text) {
    function told(done) {
      form.querySelector(".count").textContent = done
        ? results(found.rows.length) + " copied as CSV, values in SI units"
        : "This browser did not let the page copy; take results.csv from the data";
    }
    function bySelection() {
      var area = make("textarea", text), before = document.activeElement, done = false;
      document.body.append(area);
      area.select();
      try { done = document.execCommand("copy"); } catch (error) { done = false; }
      area.remove();
      if (before) { before.focus(); }
      told(done);
    }
    if (!navigator.clipboard) { bySelection(); return; }
    navigator.clipboard.writeText(text).then(function () { told(true); }, bySelection);
  }

  function listen() {
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("input", chosen);
    form.addEventListener("reset", function (event) {
      event.preventDefault();
      say([]);
      begin(stateOf.nothing(data));
    });
    form.querySelector(".copy-csv").addEventListener("click", function () {
      copy(rowsOf.csv(data, shown(), found.rows));
    });
    form.querySelector(".groups").addEventListener("click", function (event) {
      var button = event.target.closest("button");
      if (!button) { return; }
      state.chosen[state.group] = button.value;
      state.page = 1;
      showState();
      show();
      form.elements[state.group].focus();
    });
    table.tHead.addEventListener("click", function (event) {
      var name = event.target.closest("th[data-column]");
      if (!name || !event.target.closest("button")) { return; }
      state.descending = state.sort === name.dataset.column && !state.descending;
      state.sort = name.dataset.column;
      state.page = 1;
      reorder();
    });
    pager.querySelector(".previous").addEventListener("click", function () { turn(-1); });
    pager.querySelector(".next").addEventListener("click", function () { turn(1); });
  }

  window.levelfieldResults = function (brought) {
    data = rowsOf.prepare(brought);
    var asked = stateOf.read(data, location.search);
    fillForm();
    form.querySelector("fieldset").disabled = false;
    listen();
    say(asked.told);
    begin(asked.state);
  };
})();
