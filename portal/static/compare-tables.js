// The comparison in words and tables: verdicts, what was left out and why, what differs.
var levelfieldTables = (function () {
  "use strict";
  var dom = levelfieldDom, pairs = levelfieldPairs;
  var UNKNOWN_VARIATION = "Each score is of one run, and nobody has measured by how much another run would differ.";

  // --- the finding, a sentence -------------------------------------------------------------------

  function listed(found) {
    return [].concat.apply([], found.map(function (pair, at) {
      return (at ? [", "] : []).concat(dom.name(pair.one));
    }));
  }

  function findingOfOne(pair, base) {
    var ratio = "its score is " + pair.ratioWords.replace("×", "times") + " that of " + base.letter +
      (pair.intervalWords ? " (95 % interval " + pair.intervalWords + ")" : "");
    var said = pairs.VERDICTS[pair.verdict].word;
    if (said === "faster" || said === "slower") {
      return dom.name(pair.one).concat([" is " + said + " than "], dom.name(base), [": " + ratio + "."]);
    }
    var why = {
      "ratio only": UNKNOWN_VARIATION,
      "cannot tell": "The difference may be luck.",
      "too few runs": "There are too few runs to tell luck from speed.",
    }[pair.verdict];
    var lead = pair.verdict === "ratio only" ? " beside " : " cannot be told from ";
    return dom.name(pair.one).concat([lead], dom.name(base), [": " + ratio + ". " + why]);
  }

  function finding(compared, base) {
    if (compared.length === 1) { return findingOfOne(compared[0], base); }
    if (!base.training) {
      var ratios = compared.map(function (pair, at) {
        return (at ? ", " : "") + pair.one.letter + " " + pair.ratioWords;
      });
      return ["Scores as multiples of that of "].concat(dom.name(base), [": "], ratios, [". " + UNKNOWN_VARIATION]);
    }
    var said = [["faster", "these are faster"], ["slower", "these are slower"],
      ["cannot tell", "these cannot be told apart from it"]];
    var parts = said.map(function (one) {
      var found = compared.filter(function (pair) {
        return pairs.VERDICTS[pair.verdict].word.indexOf(one[0]) === 0;
      });
      return found.length ? [one[1] + ": "].concat(listed(found)) : null;
    }).filter(Boolean);
    return ["Against "].concat(dom.name(base), [", "], [].concat.apply([], parts.map(function (part, at) {
      return at ? ["; "].concat(part) : part;
    })), ["."]);
  }

  // --- verdicts ----------------------------------------------------------------------------------

  function who(one) {
    return dom.make("th", { scope: "row" }, dom.name(one).concat(
      [dom.make("br"), dom.make("small", {}, dom.make("bdi", {}, one.organisation))]));
  }
  function figureCell(text, margin) {
    return dom.cell([dom.make("strong", {}, text)].concat(
      margin ? [dom.make("br"), dom.make("small", {}, "[" + margin + "]")] : []), "right num");
  }
  function empty(css) {
    return dom.cell("–", css);
  }

  function verdictRow(pair, told) {
    var cells = [who(pair.one), figureCell(told.text(pair.one), told.margin(pair.one)),
      figureCell(pair.ratioWords, pair.intervalWords)];
    if (told.tested) {
      cells.push(pair.test ? dom.cell(pairs.chance(pair.p), "right num") : empty("right"));
      cells.push(pair.test ? dom.cell(pairs.chance(pair.test.pRanks), "right num") : empty("right"));
    }
    var verdict = pairs.VERDICTS[pair.verdict];
    cells.push(dom.cell(dom.tag(verdict.kind, verdict.icon, verdict.word)));
    return dom.make("tr", {}, cells);
  }

  function baseRow(base, told) {
    var cells = [who(base), figureCell(told.text(base), told.margin(base)), dom.cell("1 ×", "right num")];
    if (told.tested) { cells.push(empty("right"), empty("right")); }
    cells.push(dom.cell(dom.tag("plain", "⚑", "baseline")));
    return dom.make("tr", { class: "first" }, cells);
  }

  // told says what the numbers are: heading, text and margin of a result, whether they are tested.
  function verdictTable(compared, base, told) {
    var head = [dom.column("Result"), dom.column(told.heading, true),
      dom.column("Over the baseline’s", true)];
    if (told.tested) {
      head.push(dom.column("p of the ratio, after Holm", true),
        dom.column("p of the order, Mann-Whitney", true));
    }
    head.push(dom.column("Verdict"));
    var rows = [baseRow(base, told)].concat(compared.map(function (pair) {
      return verdictRow(pair, told);
    }));
    return dom.table(told.caption, head, dom.make("tbody", {}, rows), { class: "wide" });
  }

  function scores(compared, base) {
    return verdictTable(compared, base, {
      heading: "Score",
      caption: base.metric + ", against " + base.letter + (base.training ? ". In brackets stand 95 % intervals." : "."),
      tested: base.training,
      text: function (one) { return one.score; },
      margin: function (one) { return one.margin; },
    });
  }

  function speeds(compared, base) {
    return verdictTable(compared, base, {
      heading: "At the reference’s samples",
      caption: "The measured time per sample, times the samples that the reference takes to " +
        "converge: speed without the luck of converging early or late.",
      tested: true,
      text: function (one) { return one.speed.text; },
      margin: function (one) { return one.speed.margin; },
    });
  }

  function leftOut(found) {
    return dom.make("ul", { class: "left-out" }, found.map(function (pair) {
      return dom.make("li", {}, [dom.tag("plain", "–", "not compared"), " "].concat(
        dom.name(pair.one), [": ", pair.reason]));
    }));
  }

  // --- energy and cost ---------------------------------------------------------------------------

  function useOf(one, what) {
    return one.use.find(function (row) { return row.what === what; });
  }
  function useRatio(own, other) {
    var overlap = own.value - own.uncertain <= other.value + other.uncertain &&
      other.value - other.uncertain <= own.value + own.uncertain;
    return pairs.inWords(own.value / other.value, 3) + " × the baseline’s" +
      (overlap && own.uncertain + other.uncertain > 0 ? ", cannot tell: uncertainties overlap" : "");
  }
  function useCell(one, base, what, comparable) {
    var own = useOf(one, what), other = useOf(base, what);
    if (!own) { return dom.cell("not measured"); }
    var ratio = comparable && other && one !== base ? useRatio(own, other) : "";
    return dom.cell([own.text].concat(
      ratio ? [dom.make("br"), dom.make("small", {}, ratio)] : []));
  }

  // Rows of what was measured of two results or more; null where there is none.
  function use(results, base, compared) {
    var names = [];
    results.forEach(function (one) {
      one.use.forEach(function (row) { if (names.indexOf(row.what) < 0) { names.push(row.what); } });
    });
    names = names.filter(function (what) {
      return results.filter(function (one) { return useOf(one, what); }).length > 1;
    });
    if (!names.length) { return null; }
    var rows = names.map(function (what) {
      return dom.make("tr", {}, [dom.make("th", { scope: "row" }, what)].concat(
        results.map(function (one) { return useCell(one, base, what, compared.indexOf(one) >= 0); })));
    });
    return dom.table("Measured of two of them or more, and counted alike",
      heads(results, base, "What"), dom.make("tbody", {}, rows), { class: "side" });
  }

  // --- what differs ------------------------------------------------------------------------------

  function heads(results, base, first) {
    return [dom.column(first)].concat(results.map(function (one) {
      return dom.column(dom.name(one).concat(one === base ? [dom.make("br"), dom.make("small", {}, "baseline")] : []));
    }));
  }

  // Groups of rows of every result, in the order in which they are first told.
  function gather(results) {
    var groups = [];
    results.forEach(function (one, at) {
      one.facts.forEach(function (told) {
        var group = groups.find(function (each) { return each.title === told[0]; });
        if (!group) { groups.push(group = { title: told[0], rows: [] }); }
        told[1].forEach(function (fact) {
          var row = group.rows.find(function (each) { return each.name === fact[0]; });
          if (!row) { group.rows.push(row = { name: fact[0], values: results.map(function () { return null; }) }); }
          row.values[at] = fact[1];
        });
      });
    });
    return groups;
  }
  function differs(row) {
    return row.values.some(function (value) { return value !== row.values[0]; });
  }

  function factRow(row, baseAt) {
    return dom.make("tr", { hidden: !differs(row), "data-same": !differs(row) },
      [dom.make("th", { scope: "row" }, row.name)].concat(row.values.map(function (value, at) {
        var other = at !== baseAt && value !== row.values[baseAt];
        return dom.cell([
          other ? dom.make("span", { class: "other", title: "not as the baseline" }, "≠ ") : null,
          value === null ? "–" : dom.make("bdi", {}, value),
        ], other ? "differs" : null);
      })));
  }
  function groupBody(group, baseAt, columns) {
    return dom.make("tbody", { hidden: !group.rows.some(differs), "data-same": !group.rows.some(differs) }, [
      dom.make("tr", { class: "group" },
        dom.make("th", { scope: "rowgroup", colspan: columns }, group.title)),
    ].concat(group.rows.map(function (row) { return factRow(row, baseAt); })));
  }

  // The table and the button that shows also what is the same.
  function differences(results, base, all, remember) {
    var groups = gather(results), baseAt = results.indexOf(base);
    var rows = [].concat.apply([], groups.map(function (group) { return group.rows; }));
    var table = dom.table("What each bundle tells; ≠ marks what is not as the baseline has it",
      heads(results, base, "What"), groups.map(function (group) {
        return groupBody(group, baseAt, results.length + 1);
      }), { class: "side" });
    var button = dom.make("button", { type: "button", "data-key": "all-rows" }, "Show what is the same too");
    var apart = rows.filter(differs).length;
    function show(every) {
      button.setAttribute("aria-pressed", String(every));
      table.querySelectorAll("[data-same]").forEach(function (part) { part.hidden = !every; });
      table.hidden = !every && !apart;
      remember(every);
    }
    button.addEventListener("click", function () {
      show(button.getAttribute("aria-pressed") !== "true");
    });
    show(all);
    return [dom.make("div", { class: "filter" }, [
      dom.make("span", {}, apart ? apart + " of " + pairs.plural(rows.length, "row") + " differ."
        : "Nothing differs in what the bundles tell."), button]), table];
  }

  return {
    finding: finding, scores: scores, speeds: speeds, leftOut: leftOut, use: use, differences: differences,
  };
})();
