// Luck told from speed, as rules/significance.py does it from two estimates on; tests hold the two
// together (tests/golden/significance.json). Touches no page.
//
// An estimate is { value, variance, freedom, runs }: a time, the variance of its logarithm with its
// degrees of freedom, and a number a run, Infinity for one that was lost. What needs the bootstrap
// (value and variance) was computed when the site was made.
var levelfieldSignificance = (function () {
  "use strict";
  var LEVEL = 0.95;
  var LANCZOS = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
    1.5056327351493116e-7,
  ];

  // Logarithm of the gamma function for x >= 0.5 (Lanczos, g = 7), to 15 digits.
  function logGamma(x) {
    var sum = LANCZOS[0];
    for (var i = 1; i < LANCZOS.length; i += 1) { sum += LANCZOS[i] / (x - 1 + i); }
    var t = x + 6.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
  }

  // The continued fraction of the incomplete beta function, by Lentz's method.
  function fraction(x, a, b) {
    var TINY = 1e-300;
    var c = 1, d = 1 / (1 - (a + b) * x / (a + 1) || TINY), found = d;
    for (var m = 1; m < 10000; m += 1) {
      var steps = [
        m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
      ];
      var before = found;
      for (var i = 0; i < 2; i += 1) {
        d = 1 / (1 + steps[i] * d || TINY);
        c = 1 + steps[i] / c || TINY;
        found *= c * d;
      }
      if (Math.abs(found - before) <= 1e-16 * Math.abs(found)) { break; }
    }
    return found;
  }

  // The regularised incomplete beta function of x; y is 1 - x, given so that no digit is lost.
  function incompleteBeta(x, y, a, b) {
    if (x <= 0) { return 0; }
    if (y <= 0) { return 1; }
    var front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) +
      a * Math.log(x) + b * Math.log(y));
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a
      : 1 - front * fraction(y, b, a) / b;
  }

  // Chance that Student's t is further from nought than t, on both sides together.
  function studentTails(freedom, t) {
    var square = t * t;
    return incompleteBeta(
      freedom / (freedom + square), square / (freedom + square), freedom / 2, 0.5);
  }

  // The t beyond which only the rest of LEVEL lies, by halving.
  function studentBound(freedom) {
    var low = 0, high = 1;
    while (studentTails(freedom, high) > 1 - LEVEL) { high *= 2; }
    for (var middle = high / 2; low < middle && middle < high; middle = (low + high) / 2) {
      if (studentTails(freedom, middle) > 1 - LEVEL) { low = middle; } else { high = middle; }
    }
    return high;
  }

  // By what factor a ratio is uncertain, and its two-sided p, with Welch's degrees of freedom.
  function student(ratio, a, b) {
    var spread = a.variance + b.variance;
    var squares = a.variance * a.variance / a.freedom + b.variance * b.variance / b.freedom;
    if (!squares) { return { half: 1, p: ratio === 1 ? 1 : 0 }; }
    var freedom = spread * spread / squares;
    return {
      half: Math.exp(studentBound(freedom) * Math.sqrt(spread)),
      p: studentTails(freedom, Math.abs(Math.log(ratio)) / Math.sqrt(spread)),
    };
  }

  // Twice the rank of each value among all, from 1; ties share their mean.
  function doubledRanks(values) {
    var sorted = values.slice().sort(function (a, b) { return a < b ? -1 : a > b ? 1 : 0; });
    return values.map(function (value) {
      return sorted.indexOf(value) + sorted.lastIndexOf(value) + 2;
    });
  }

  // In how many ways so many of the ranks have each sum.
  function waysToChoose(ranks, chosen) {
    var size = ranks.reduce(function (sum, rank) { return sum + rank; }, 0) + 1;
    var ways = [];
    for (var count = 0; count <= chosen; count += 1) { ways.push(new Float64Array(size)); }
    ways[0][0] = 1;
    ranks.forEach(function (rank) {
      for (var count = chosen; count > 0; count -= 1) {
        for (var sum = rank; sum < size; sum += 1) { ways[count][sum] += ways[count - 1][sum - rank]; }
      }
    });
    return ways[chosen];
  }

  // Exact two-sided p of the order of a and b.
  function mannWhitney(a, b) {
    var doubled = doubledRanks(a.concat(b));
    var sum = function (ranks) { return ranks.reduce(function (x, y) { return x + y; }, 0); };
    // Times the number of all values, so that nothing is rounded.
    var centre = a.length * sum(doubled);
    var found = Math.abs(sum(doubled.slice(0, a.length)) * doubled.length - centre);
    var ways = waysToChoose(doubled, a.length);
    var away = 0, all = 0;
    ways.forEach(function (count, at) {
      all += count;
      if (Math.abs(at * doubled.length - centre) >= found) { away += count; }
    });
    return away / all;
  }

  // How two times compare, a over b; null where one is not known well enough.
  function compare(a, b) {
    if (!a || !b) { return null; }
    var ratio = a.value / b.value;
    var uncertain = student(ratio, a, b);
    return {
      ratio: ratio,
      low: ratio / uncertain.half,
      high: ratio * uncertain.half,
      pRatio: uncertain.p,
      pRanks: mannWhitney(a.runs, b.runs),
    };
  }

  // p so raised that all below a level are wrong together no more often than it (Holm).
  function holm(p) {
    var order = p.map(function (_, at) { return at; });
    order.sort(function (i, j) { return p[i] - p[j] || i - j; });
    var raised = [], highest = 0;
    order.forEach(function (at, done) {
      highest = Math.max(highest, Math.min(1, p[at] * (p.length - done)));
      raised[at] = highest;
    });
    return raised;
  }

  // What may be said of all comparisons together: a verdict each, with the p that Holm leaves.
  function verdicts(comparisons) {
    var known = comparisons.filter(Boolean);
    var raised = holm(known.map(function (one) { return one.pRatio; }));
    return comparisons.map(function (one) {
      if (!one) { return { verdict: "too few runs", p: null }; }
      var p = raised[known.indexOf(one)];
      if (Math.max(p, one.pRanks) >= 1 - LEVEL) { return { verdict: "cannot tell", p: p }; }
      return { verdict: one.ratio < 1 ? "A faster" : "B faster", p: p };
    });
  }

  return { compare: compare, verdicts: verdicts, holm: holm, mannWhitney: mannWhitney };
})();
