// What may be compared with what, and what is said of it, in words. Touches no page.
var levelfieldPairs = (function () {
  "use strict";
  var SHARED = ["round", "workload", "scenario", "division"];

  function inWords(value, digits) {
    return value.toLocaleString("en-GB", { maximumSignificantDigits: digits });
  }
  // All digits, so that 0.96 beside 1.185 is 0.9600.
  function exactly(value, digits) {
    return value.toLocaleString("en-GB", { minimumSignificantDigits: digits, maximumSignificantDigits: digits });
  }
  function chance(p) {
    return p < 0.0001 ? "< 0.0001" : inWords(p, 2);
  }
  function plural(count, noun) {
    return count + " " + noun + (count === 1 ? "" : "s");
  }

  // Why a result's score is not to be compared with any; empty if nothing is against it.
  function against(one) {
    if (one.refused) {
      return "The check has " + plural(one.refused, "finding") +
        " against it. A score that was refused is a claim and no more.";
    }
    return one.score ? "" : "Its runs give no score.";
  }

  // Why one is not compared with the baseline, in a sentence; empty if it is.
  function reason(one, base) {
    var own = against(one);
    if (own) { return own; }
    if (against(base)) { return "The baseline cannot be compared with anything. " + against(base); }
    if (one.imported !== base.imported) {
      return (one.imported ? "It was imported and the baseline was not" : "The baseline was imported and it was not") +
        ": nobody here has verified imported results, and they follow other rules.";
    }
    if (one.board === base.board) { return ""; }
    var apart = SHARED.filter(function (name) { return one[name] !== base[name]; })
      .map(function (name) {
        return name + " (" + one[name] + ", where the baseline has " + base[name] + ")";
      });
    return "Another " + (apart.join(", and another ") || "leaderboard") +
      ": the two numbers do not measure the same thing.";
  }

  // Every result but the baseline with how it compares, in the order given.
  // kind is "score" or "speed", the time without luck.
  function compareAll(results, base, kind) {
    var estimate = function (one) { return kind === "score" ? one.estimate : one.speed && one.speed.estimate; };
    var value = function (one) { return kind === "score" ? one.value : one.speed && one.speed.value; };
    var pairs = results.filter(function (one) { return one.id !== base.id; }).map(function (one) {
      return { one: one, reason: reason(one, base) };
    });
    var compared = pairs.filter(function (pair) {
      return !pair.reason && value(pair.one) && value(base);
    });
    var found = compared.map(function (pair) {
      return levelfieldSignificance.compare(estimate(pair.one), estimate(base));
    });
    levelfieldSignificance.verdicts(found).forEach(function (said, at) {
      var pair = compared[at];
      pair.ratio = value(pair.one) / value(base);
      pair.test = found[at];
      pair.p = said.p;
      pair.verdict = base.training ? said.verdict : "ratio only";
    });
    return kind === "score" ? pairs : compared;
  }

  var VERDICTS = {
    "A faster": { word: "faster", icon: "▲", kind: "" },
    "B faster": { word: "slower", icon: "▼", kind: "warn" },
    "cannot tell": { word: "cannot tell", icon: "≈", kind: "plain" },
    "too few runs": { word: "cannot tell: too few runs", icon: "≈", kind: "plain" },
    "ratio only": { word: "ratio only", icon: "÷", kind: "plain" },
  };

  function ratioInWords(pair) {
    return exactly(pair.ratio, 4) + " ×";
  }
  function intervalInWords(pair) {
    return pair.test ? exactly(pair.test.low, 4) + " to " + exactly(pair.test.high, 4) : "";
  }

  return {
    reason: reason,
    compareAll: compareAll,
    inWords: inWords,
    chance: chance,
    plural: plural,
    ratioInWords: ratioInWords,
    intervalInWords: intervalInWords,
    VERDICTS: VERDICTS,
  };
})();
