// Rows of the table of all results as elements, as the server writes them; text is only ever text.
(function () {
  "use strict";
  var textOf = window.levelfieldRows.text;

  function make(tag, text, name) {
    var made = document.createElement(tag);
    if (text !== undefined) { made.textContent = text; }
    if (name) { made.className = name; }
    return made;
  }
  function quiet(text, name) {
    var made = make("span", text, name);
    made.setAttribute("aria-hidden", "true");
    return made;
  }

  function tag(column, row) {
    var kind = column.tags[column.codes[row]];
    var made = make("span", undefined, ("tag " + kind[0]).trim());
    made.append(quiet(kind[1]), " " + textOf(column, row));
    return made;
  }
  function cell(column, row) {
    var made = make("td", undefined, column.numbers ? "right num" : "");
    if (column.tags) { made.append(tag(column, row)); }
    else if (column.numbers) { made.textContent = textOf(column, row); }
    else { made.append(make("bdi", textOf(column, row))); }
    return made;
  }
  function head(data, column, row) {
    var made = make("th"), link = make("a");
    made.scope = "row";
    link.href = "../x/" + encodeURIComponent(data.ids[row]) + "/index.html";
    link.append(make("bdi", textOf(column, row)));
    made.append(link);
    return made;
  }
  function line(data, columns, row) {
    var made = make("tr");
    columns.forEach(function (column, at) {
      made.append(at ? cell(column, row) : head(data, column, row));
    });
    return made;
  }
  function wideLine(only, width, name) {
    var made = make("tr", undefined, name);
    only.colSpan = width;
    made.append(only);
    return made;
  }
  function groupLine(text, count, width) {
    var name = make("th");
    name.scope = "rowgroup";
    name.append(make("bdi", text), make("small", " " + count));
    return wideLine(name, width, "group");
  }

  // What can be seen is drawn at once and the rest after it, so that a filter answers at once too.
  // A group has a body of its own, so that the name at its head is that of its rows.
  var PART = 40, drawings = 0;
  function rows(table, data, columns, some, group, counted) {
    var drawing = drawings += 1, at = 0, last = null, body = make("tbody");
    function row(number) {
      if (group && group.codes[number] !== last) {
        last = group.codes[number];
        if (body.rows.length) { body = make("tbody"); }
        table.append(body);
        body.append(groupLine(group.texts[last], counted(last), columns.length));
      }
      body.append(line(data, columns, number));
    }
    function part() {
      if (drawing !== drawings) { return; }
      some.slice(at, at + PART).forEach(row);
      at += PART;
      table.setAttribute("aria-busy", String(at < some.length));
      if (at < some.length) { requestAnimationFrame(function () { setTimeout(part); }); }
    }
    Array.from(table.tBodies).forEach(function (each) { each.remove(); });
    table.append(body);
    part();
    if (!some.length) { body.append(emptyLine(columns.length)); }
  }
  function emptyLine(width) {
    return wideLine(make("td", "No result is like that. Choose less, or clear all."), width);
  }

  // The names of columns as buttons that sort. Widths do not hang on the rows that are drawn.
  function names(table, columns) {
    var made = make("tr"), width = 0;
    columns.forEach(function (column) {
      var name = make("th", undefined, column.numbers ? "right" : ""), button = make("button");
      name.scope = "col";
      name.dataset.column = column.name;
      name.style.width = column.width + "rem";
      width += column.width;
      button.type = "button";
      button.append(column.title, quiet("", "arrow"));
      name.append(button);
      made.append(name);
    });
    table.tHead.replaceChildren(made);
    table.style.width = width + "rem";
  }
  // The buttons stay when the order changes, so that the focus does.
  function order(table, sort, descending) {
    table.querySelectorAll("thead th").forEach(function (name) {
      var sorted = name.dataset.column === sort;
      if (sorted) { name.setAttribute("aria-sort", descending ? "descending" : "ascending"); }
      else { name.removeAttribute("aria-sort"); }
      name.querySelector(".arrow").textContent = sorted ? (descending ? " ▼" : " ▲") : "";
    });
  }

  window.levelfieldDraw = { make: make, rows: rows, names: names, order: order };
})();
