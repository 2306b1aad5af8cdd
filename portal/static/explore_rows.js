// The rows of the table of all results: found, ordered, grouped and told as CSV. Nothing is drawn here.
(function () {
  "use strict";
  var FORMULA = /^[=+\-@\t\r]/;

  // The value of a cell as the data have it; what is not known is null.
  function value(column, row) {
    return column.numbers ? column.numbers[row] : column.values[column.codes[row]];
  }
  function text(column, row) { return column.texts[column.codes[row]]; }

  // Codes of words are in the order of the words; what is not stated has the last.
  function byWords(column, sign) {
    var codes = column.codes;
    var unknown = column.values[column.values.length - 1] === null ? column.values.length - 1 : -1;
    return function (a, b) {
      var lost = (codes[a] === unknown) - (codes[b] === unknown);
      return lost || sign * (codes[a] - codes[b]);
    };
  }
  function byNumber(column, sign) {
    var numbers = column.numbers;
    return function (a, b) {
      var lost = (numbers[a] === null) - (numbers[b] === null);
      return lost || sign * (numbers[a] - numbers[b]);
    };
  }

  // All rows in an order: group by group, then by what a column is comparable within, then by it.
  function order(data, group, sort, descending) {
    var rows = data.ids.map(function (_, row) { return row; });
    var sign = descending ? -1 : 1;
    var steps = group ? [byWords(data.named[group], 1)] : [];
    if (sort) {
      data.named[sort].within.forEach(function (name) { steps.push(byWords(data.named[name], 1)); });
      steps.push((data.named[sort].numbers ? byNumber : byWords)(data.named[sort], sign));
    }
    if (!steps.length) { return rows; }
    return rows.sort(function (a, b) {
      for (var at = 0; at < steps.length; at += 1) {
        var found = steps[at](a, b);
        if (found) { return found; }
      }
      return a - b;
    });
  }

  // What a search looks through: every word that a row shows or is named by.
  function haystacks(data) {
    var words = data.columns.filter(function (column) { return !column.numbers; });
    var lower = words.map(function (column) {
      return column.texts.map(function (shown, code) {
        return (shown + "\n" + (column.values[code] || "")).toLowerCase();
      });
    });
    return data.ids.map(function (id, row) {
      return words.reduce(function (all, column, at) {
        return all + lower[at][column.codes[row]] + "\n";
      }, id + "\n");
    });
  }

  // Those of ``rows`` that hold every word of ``query`` and every chosen value.
  function find(data, rows, query, chosen) {
    var words = query.toLowerCase().split(/\s+/).filter(Boolean);
    var tests = Object.keys(chosen).map(function (name) {
      var column = data.named[name];
      return { codes: column.codes, code: column.keys.indexOf(chosen[name]) };
    });
    return rows.filter(function (row) {
      return tests.every(function (test) { return test.codes[row] === test.code; }) &&
        words.every(function (word) { return data.haystacks[row].indexOf(word) >= 0; });
    });
  }

  // How many of ``rows`` each value has, in the order in which they come.
  function groups(column, rows) {
    var counts = new Map();
    rows.forEach(function (row) {
      counts.set(column.codes[row], (counts.get(column.codes[row]) || 0) + 1);
    });
    return counts;
  }

  // Text that a spreadsheet would run as a formula gets an apostrophe before it.
  function cell(found) {
    if (found === null) { return ""; }
    var told = typeof found === "string" && FORMULA.test(found) ? "'" + found : String(found);
    return /[",\r\n]/.test(told) ? '"' + told.replace(/"/g, '""') + '"' : told;
  }

  // Values as the data have them, in SI units, each with what it is comparable within before it.
  function csv(data, columns, rows) {
    var all = [];
    columns.forEach(function (column) {
      column.within.map(function (name) { return data.named[name]; }).concat(column)
        .forEach(function (each) { if (all.indexOf(each) < 0) { all.push(each); } });
    });
    var lines = [["id"].concat(all.map(function (column) { return column.name; }))];
    rows.forEach(function (row) {
      lines.push([data.ids[row]].concat(all.map(function (column) { return value(column, row); })));
    });
    return lines.map(function (line) { return line.map(cell).join(",") + "\r\n"; }).join("");
  }

  // What the file holds, with what is looked up often.
  function prepare(data) {
    data.named = Object.create(null);
    data.columns.forEach(function (column) {
      data.named[column.name] = column;
      column.keys = (column.values || []).map(function (each) { return each === null ? "none" : each; });
    });
    data.haystacks = haystacks(data);
    return data;
  }

  window.levelfieldRows = {
    prepare: prepare, text: text, order: order, find: find, groups: groups, csv: csv
  };
})();
