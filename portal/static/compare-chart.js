// Every run of the compared results, a dot each on one scale, with intervals and scores.
var levelfieldChart = (function () {
  "use strict";
  var dom = levelfieldDom, pairs = levelfieldPairs;
  var DECADE = 10;
  var INSET = 4;

  function valuesOf(one) {
    var interval = one.interval || [];
    return one.runs.map(function (run) { return run[0]; })
      .concat([one.value], interval)
      .filter(function (value) { return value !== null; });
  }

  // From the least to the greatest value; logarithmic where they are a decade apart.
  function makeScale(results) {
    var values = [].concat.apply([], results.map(valuesOf));
    var low = Math.min.apply(null, values), high = Math.max.apply(null, values);
    if (low === high) { low *= 0.99; high *= 1.01; }
    var logarithmic = low > 0 && high / low > DECADE;
    var at = logarithmic ? Math.log : function (value) { return value; };
    return {
      low: low,
      high: high,
      logarithmic: logarithmic,
      place: function (value) {
        var share = (at(value) - at(low)) / (at(high) - at(low));
        return (INSET + share * (100 - 2 * INSET)).toFixed(2) + "%";
      },
    };
  }

  function linearTicks(low, high) {
    var rough = (high - low) / 6, power = Math.pow(10, Math.floor(Math.log10(rough)));
    var step = [1, 2, 5, 10].map(function (digit) { return digit * power; })
      .find(function (size) { return size >= rough; });
    var ticks = [];
    for (var n = Math.ceil(low / step); n * step <= high; n += 1) { ticks.push(n * step); }
    return ticks;
  }
  function logarithmicTicks(low, high) {
    var ticks = [];
    for (var power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
      [1, 2, 5].forEach(function (digit) {
        var tick = digit * Math.pow(10, power);
        if (tick >= low && tick <= high) { ticks.push(tick); }
      });
    }
    return ticks.length > 7
      ? ticks.filter(function (tick) { return Math.log10(tick) % 1 === 0; })
      : ticks;
  }

  function line(css, from, to, y1, y2) {
    return dom.draw("line", { class: css, x1: from, x2: to, y1: y1, y2: y2 });
  }

  function strip(one, scale, ticks) {
    var parts = ticks.map(function (tick) {
      return line("grid", scale.place(tick), scale.place(tick), 0, 40);
    });
    if (one.interval) {
      // An interval without an upper end goes on to the edge.
      var high = one.interval[1];
      parts.push(line("interval", scale.place(one.interval[0]),
        high === null ? "100%" : scale.place(high), 20, 20));
    }
    parts.push(line("scored", scale.place(one.value), scale.place(one.value), 6, 34));
    one.runs.slice().sort(function (a, b) { return b[1] - a[1]; }).forEach(function (run) {
      parts.push(dom.draw("circle", {
        class: run[1] ? "dropped" : "run", cx: scale.place(run[0]), cy: 20, r: 5.5,
      }));
    });
    return dom.draw("svg", { height: 40, width: "100%", "aria-hidden": "true" }, parts);
  }

  function axis(scale, ticks, base) {
    var texts = ticks.map(function (tick) {
      return dom.draw("text", { x: scale.place(tick), y: 14, "text-anchor": "middle" },
        pairs.inWords(tick / base.size, 4));
    });
    var words = base.unit + (scale.logarithmic ? ", logarithmic" : "") + ", " +
      (base.higher ? "higher" : "lower") + " is better";
    return dom.make("div", { class: "row axis" }, [
      dom.make("span", { class: "axis-title" }, words),
      dom.draw("svg", { height: 20, width: "100%", "aria-hidden": "true" }, texts),
      dom.make("span"),
    ]);
  }

  function legend(results) {
    var some = function (test) { return results.some(test); };
    var items = [["●", "scored run"]];
    if (some(function (one) { return one.runs.some(function (run) { return run[1]; }); })) {
      items.push(["○", "run left out"]);
    }
    items.push(["┃", "score"]);
    if (some(function (one) { return one.interval; })) { items.push(["━", "95 % interval of the score"]); }
    return dom.make("p", { class: "legend" }, items.map(function (item) {
      return dom.make("span", {}, [dom.make("span", { "aria-hidden": "true" }, item[0]), " " + item[1]]);
    }));
  }

  function row(one, scale, ticks) {
    return dom.make("div", { class: "row" }, [
      dom.make("span", { class: "who" }, dom.name(one)),
      strip(one, scale, ticks),
      dom.make("span", { class: "num" }, one.score),
    ]);
  }

  function runsTable(results, base) {
    var rows = results.map(function (one) {
      var runs = one.runs.map(function (run) {
        return pairs.inWords(run[0] / base.size, 4) + (run[1] ? " (left out)" : "");
      });
      if (one.lost) { runs.push(pairs.plural(one.lost, "run") + " missed the target"); }
      return dom.make("tr", {}, [
        dom.make("th", { scope: "row" }, dom.name(one)),
        dom.cell(runs.join(", "), "wraps"),
      ]);
    });
    return dom.make("details", {}, [
      dom.make("summary", {}, "The figure as a table"),
      dom.table("Every run, in " + base.unit, [dom.column("Result"), dom.column("Runs, in the order of their start")],
        dom.make("tbody", {}, rows)),
    ]);
  }

  // A figure of results that share a leaderboard; caption is its finding, as nodes.
  function figure(results, base, caption) {
    var scale = makeScale(results);
    var ticks = scale.logarithmic
      ? logarithmicTicks(scale.low / base.size, scale.high / base.size)
      : linearTicks(scale.low / base.size, scale.high / base.size);
    ticks = ticks.map(function (tick) { return tick * base.size; });
    var rows = results.map(function (one) { return row(one, scale, ticks); });
    return dom.make("figure", { class: "dots" }, [
      dom.make("figcaption", { id: "finding" }, caption),
      legend(results),
      dom.make("div", { class: "rows", role: "img", "aria-labelledby": "finding" },
        rows.concat([axis(scale, ticks, base)])),
      runsTable(results, base),
    ]);
  }

  return { figure: figure };
})();
