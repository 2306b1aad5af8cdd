// What a round's log has said about each bundle, and where that leaves it; as in
// submissions/review/case.py and status.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var REVIEWS_NEEDED = 2;
  var STANDING = ["submitted", "under review", "accepted", "published"];

  function newCase(bundle, said, index) {
    return {
      bundle: bundle, submitter: said.submitter, nonce: said.nonce, index: index,
      results: said.results, statements: new Set(), supersedes: null, superseded_by: null,
      events: new Map(), objections: new Map(), checks: new Map(), assigned: new Set(),
      done: new Set(), countersigned: new Set(), recused: new Set(), replications: new Map(),
      votes: new Map(), waivers: [], effects: [], errata: [], rejected: "", void: "",
      attested: false, withdrawn: false, frozen: false, published: null, ignored: []
    };
  }
  // The case, then those of the bundles that it amends, newest first.
  function lineage(one, cases) {
    var found = [];
    for (var at = one; at; at = at.supersedes ? cases.get(at.supersedes) : null) { found.push(at); }
    return found;
  }
  function objectionsOf(one, cases) {
    return lineage(one, cases).flatMap(function (held) {
      return Array.from(held.objections.values());
    }).sort(function (a, b) { return a.index - b.index; });
  }
  // The oldest that stands.
  function firstOpen(one, cases) {
    var first = null;
    lineage(one, cases).forEach(function (held) {
      held.objections.forEach(function (objection) {
        if (!objection.closed && !(first && first.index < objection.index)) { first = objection; }
      });
    });
    return first;
  }
  // The open objection with this envelope, whatever else has been objected.
  function openObjection(envelope, one, cases) {
    return lineage(one, cases).map(function (held) {
      return held.objections.get(envelope || "");
    }).find(function (objection) { return objection && !objection.closed; }) || null;
  }
  // Votes on an event about this bundle; of organisations recused since, none.
  function votesOn(envelope, one, cases) {
    return lineage(one, cases).flatMap(function (held) {
      return held.votes.get(envelope || "") || [];
    }).filter(function (vote) { return !one.recused.has(vote.by); });
  }
  function without(names, left) {
    return Array.from(names).filter(function (name) { return !left.has(name); }).sort();
  }

  // The state and its reason; what speaks against a bundle comes before what speaks for it.
  function standing(one, cases) {
    if (one.withdrawn) { return ["withdrawn", one.submitter + " withdrew it"]; }
    if (one.void) { return ["void", "void by verdict " + one.void.slice(0, 12)]; }
    if (one.superseded_by) {
      return ["amended", "bundle " + one.superseded_by + " takes its place"];
    }
    if (one.rejected) {
      return ["rejected", "rejected by verdict " + one.rejected.slice(0, 12) +
        "; appeal, or amend it"];
    }
    var first = firstOpen(one, cases);
    if (first) {
      return ["objected", first.event.by + " objects (entry " + first.index + ", " +
        first.envelope.slice(0, 12) + "); it stands until its author drops it or a verdict closes it"];
    }
    var lacking = lackingOf(one);
    if (lacking) {
      var begun = one.assigned.size || one.done.size || one.countersigned.size;
      return [begun ? "under review" : "submitted", lacking];
    }
    return one.published === null
      ? ["accepted", "checked and reviewed; the chair has not published it"]
      : ["published", "accepted, and published by entry " + one.published];
  }
  function lackingOf(one) {
    var check = checkOf(one);
    if (check === "none") { return "no checker has given a verdict yet"; }
    if (check === "failed") { return "the check failed: " + failedOf(one).join(", "); }
    var missing = REVIEWS_NEEDED - without(one.done, one.recused).length;
    return missing > 0 ? missing + " of " + REVIEWS_NEEDED +
      " reviews by other organisations are to be done" : "";
  }
  function checkOf(one) {
    if (!without(one.checks.keys(), one.recused).length) { return "none"; }
    return failedOf(one).length ? "failed" : "passed";
  }
  // Rules that failed in anybody's last check and are not waived; a recusal removes none.
  function failedOf(one) {
    var waived = new Set(one.waivers.map(function (waiver) { return waiver.rule; }));
    return without(new Set(Array.from(one.checks.values()).flat()), waived);
  }
  function levelOf(one, state, result) {
    if (STANDING.indexOf(state) < 0 || checkOf(one) !== "passed" ||
        !without(one.countersigned, one.recused).length) { return "L1"; }
    if (one.attested) { return "L4"; }
    var found = Array.from(one.replications.values()).filter(function (replica) {
      return replica.target === one.bundle || replica.target === result;
    });
    var equal = found.some(function (replica) {
      return replica.outcome === "equal" && !one.recused.has(replica.by);
    });
    return equal && found.every(function (replica) { return replica.outcome !== "different"; })
      ? "L3" : "L2";
  }

  // The status of a case; `missing` is why the log cannot be replayed, if it cannot be.
  function statusOf(one, cases, missing) {
    var told = missing ? ["cannot be told", missing] : standing(one, cases), levels = {};
    var objections = objectionsOf(one, cases);
    one.results.forEach(function (path) {
      levels[path] = missing ? "L0" : levelOf(one, told[0], path);
    });
    return {
      bundle: one.bundle, submitter: one.submitter, state: told[0], why: told[1], levels: levels,
      level: Object.values(levels).sort()[0] || "L0", check: checkOf(one),
      assigned: Array.from(one.assigned).sort(), reviewed_by: without(one.done, one.recused),
      countersigned_by: without(one.countersigned, one.recused),
      recused: Array.from(one.recused).sort(), objections: objections,
      waivers: one.waivers, effects: one.effects, errata: one.errata,
      replications: Array.from(one.replications.values()), supersedes: one.supersedes,
      superseded_by: one.superseded_by, frozen: one.frozen, ignored: one.ignored
    };
  }

  levelfield.cases = {
    newCase: newCase, lineage: lineage, openObjection: openObjection, votesOn: votesOn,
    standing: standing, statusOf: statusOf
  };
})();
