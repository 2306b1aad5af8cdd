// What a reader chose in the table of all results, as an address and back, with full, stable ids.
(function () {
  "use strict";

  function nothing(data) {
    return { q: "", chosen: {}, sort: "", descending: false, group: "", cols: standard(data), page: 1 };
  }
  function standard(data) {
    return data.columns.filter(function (column) { return column.shown; }).map(nameOf);
  }
  function nameOf(column) { return column.name; }

  // The query string; empty where nothing was chosen. It names the data that the reader saw.
  function write(data, state) {
    var found = new URLSearchParams();
    if (state.q) { found.set("q", state.q); }
    data.columns.forEach(function (column) {
      if (column.name in state.chosen) { found.set(column.name, state.chosen[column.name]); }
    });
    if (state.group) { found.set("group", state.group); }
    if (state.sort) { found.set("sort", (state.descending ? "-" : "") + state.sort); }
    if (state.cols.join() !== standard(data).join()) { found.set("cols", state.cols.join()); }
    if (state.page > 1) { found.set("page", state.page); }
    if (!found.toString()) { return ""; }
    found.set("snapshot", data.snapshot);
    return "?" + found.toString();
  }

  function unknown(what, asked) {
    return "The address asks for " + what + " “" + asked + "”, which is not here; that part is left out.";
  }

  // The order of columns is the table's own; the first is always there.
  function columns(data, asked, told) {
    var names = asked.split(",");
    names.forEach(function (name) {
      if (!data.named[name]) { told.push(unknown("the column", name)); }
    });
    return data.columns.map(nameOf).filter(function (name, at) {
      return at === 0 || names.indexOf(name) >= 0;
    });
  }

  var readers = {
    q: function (data, state, asked) { state.q = asked; },
    group: function (data, state, asked, told) {
      if (data.named[asked] && !data.named[asked].numbers) { state.group = asked; }
      else { told.push(unknown("groups by", asked)); }
    },
    sort: function (data, state, asked, told) {
      var name = asked.replace(/^-/, "");
      if (!data.named[name]) { told.push(unknown("the order by", name)); return; }
      state.sort = name;
      state.descending = asked !== name;
    },
    cols: function (data, state, asked, told) { state.cols = columns(data, asked, told); },
    page: function (data, state, asked, told) {
      if (/^[1-9]\d{0,6}$/.test(asked)) { state.page = Number(asked); }
      else { told.push(unknown("page", asked)); }
    },
    snapshot: function (data, state, asked, told) {
      if (asked !== data.snapshot) {
        told.push("The address was made for another snapshot of the data, “" + asked +
          "”; these are “" + data.snapshot + "”, and results may have come, gone or changed.");
      }
    }
  };

  // What an address asks for, and a line for everything in it that is not here.
  function read(data, search) {
    var state = nothing(data), told = [];
    new URLSearchParams(search).forEach(function (asked, name) {
      var column = data.named[name];
      if (Object.prototype.hasOwnProperty.call(readers, name)) {
        readers[name](data, state, asked, told);
      } else if (column && column.filtered && column.keys.indexOf(asked) >= 0) {
        state.chosen[name] = asked;
      } else {
        told.push(unknown(column && column.filtered ? "the " + column.title.toLowerCase() : name, asked));
      }
    });
    return { state: state, told: told };
  }

  window.levelfieldState = { nothing: nothing, read: read, write: write };
})();
