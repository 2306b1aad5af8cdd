// Who may say what about whose bundle, and when; as in submissions/review/conflicts.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var cases = levelfield.cases;
  var ROLES = {
    "review-assigned": ["root"], "review-done": ["review"], "recuse": ["review", "replicate", "root"],
    "objection": ["review"], "second": ["review"], "drop": ["review", "root"],
    "response": ["submit"], "concede": ["submit"], "amend": ["submit"],
    "replicate-request": ["review", "root"], "replicate-grant": ["root"],
    "replicate-refuse": ["root"], "replicate-result": ["replicate"], "vote": ["review"],
    "verdict": ["root"], "appeal": ["submit"], "withdraw": ["submit"],
    "erratum": ["submit", "root"], "freeze": ["root"], "publish": ["root"]
  };
  var SUBMITTERS_OWN = ["response", "concede", "amend", "appeal", "withdraw"];
  var OTHERS_ONLY = ["review-done", "objection", "second", "drop", "vote", "verdict",
    "replicate-result", "replicate-refuse"];
  var NOT_WHEN_RECUSED = ["review-done", "objection", "second", "vote", "verdict",
    "replicate-result"];
  var REFERS = {
    "second": ["objection"], "drop": ["objection"], "response": ["objection"],
    "concede": ["objection"], "vote": ["objection", "response", "appeal"],
    "verdict": ["objection", "response", "appeal"], "appeal": ["verdict"],
    "replicate-grant": ["replicate-request"], "replicate-refuse": ["replicate-request"]
  };
  function among(list, name) { return list.indexOf(name) >= 0; }

  // Why an event may not be made by those who signed it, at this place; empty if it may.
  function refusal(step) {
    var event = step.event, particular = PARTICULAR[event.type];
    return impersonation(event.by, step.logged) || conflict(event.type, event.by, step.case) ||
      lackingRole(ROLES[event.type], step.logged) || reference(step) || closed(step) ||
      (particular ? particular(step) : "");
  }
  function impersonation(by, logged) {
    return logged.by === by ? ""
      : "it speaks for " + by + ", and " + (logged.by || "nobody") + " signed it";
  }
  function lackingRole(roles, logged) {
    if (roles.some(function (role) { return among(logged.roles, role); })) { return ""; }
    return "the keyring gives " + (logged.by || "nobody") + " " +
      (logged.roles.join(", ") || "no role") + " at entry " + logged.index + ", not " +
      roles.join(" or ");
  }
  function selfReview(by, one) {
    return by === one.submitter
      ? "self-review: " + by + " is the submitter of bundle " + one.bundle : "";
  }
  function recused(by, one) {
    return one.recused.has(by) ? by + " has recused itself from bundle " + one.bundle : "";
  }
  function conflict(kind, by, one) {
    if (among(SUBMITTERS_OWN, kind) && by !== one.submitter) {
      return kind + " is for the submitter, " + one.submitter + ", alone; " + by + " is not";
    }
    return (among(OTHERS_ONLY, kind) && selfReview(by, one)) ||
      (among(NOT_WHEN_RECUSED, kind) && recused(by, one)) || "";
  }

  // The event that this one refers to, of its bundle or of one that the bundle amends.
  function referred(step) {
    return cases.lineage(step.case, step.cases).map(function (one) {
      return one.events.get(step.event.refers_to || "");
    }).find(Boolean) || null;
  }
  // The open objection that this event refers to.
  function about(step) {
    return cases.openObjection(step.event.refers_to, step.case, step.cases);
  }
  function votes(step) { return cases.votesOn(step.event.refers_to, step.case, step.cases); }

  function reference(step) {
    var event = step.event, found = referred(step), kinds = REFERS[event.type] || [];
    if (event.refers_to === null) { return ""; }
    if (!found) {
      return "it refers to " + event.refers_to.slice(0, 12) + ", which is no event about this bundle";
    }
    return among(kinds, found.type) ? "" : "it refers to a " + found.type + "; a " + event.type +
      " is of " + kinds.join(" or ");
  }
  function closed(step) {
    if (step.case.withdrawn && step.event.type !== "erratum") {
      return "bundle " + step.case.bundle + " is withdrawn; only an erratum can be added";
    }
    return among(["second", "drop", "concede"], step.event.type) && !about(step)
      ? "the objection is closed already" : "";
  }

  var PARTICULAR = {
    "review-assigned": function (step) {
      var reviewer = step.event.reviewer || "";
      return recused(reviewer, step.case) || selfReview(reviewer, step.case);
    },
    "second": function (step) {
      var found = referred(step);
      return found && found.by === step.event.by
        ? step.event.by + " cannot second its own objection" : "";
    },
    "drop": function (step) {
      var found = referred(step), author = found ? found.by : "";
      return author !== step.event.by && !among(step.logged.roles, "root")
        ? "the objection is " + author + "'s; only " + author + " or the chair may drop it" : "";
    },
    "amend": function (step) {
      var one = step.case, next = step.cases.get(step.event.superseded_by || "");
      if (one.frozen) { return "bundle " + one.bundle + " is frozen; ask for an erratum"; }
      if (!next || next.submitter !== one.submitter) {
        return one.submitter + " has not submitted bundle " + step.event.superseded_by + "; submit it";
      }
      if (next.index <= one.index) {
        return "bundle " + next.bundle + " was not submitted after the one that it is to amend";
      }
      return next.supersedes || one.superseded_by
        ? "one of the two bundles is part of another amendment" : "";
    },
    "vote": function (step) {
      return votes(step).some(function (vote) { return vote.by === step.event.by; })
        ? step.event.by + " has voted on this already; one organisation, one vote" : "";
    },
    "verdict": verdict,
    "appeal": function (step) {
      return among([step.case.rejected, step.case.void], step.event.refers_to) ? ""
        : "the verdict that it names does not reject this bundle";
    },
    "erratum": function (step) {
      return step.event.by !== step.case.submitter && !among(step.logged.roles, "root")
        ? "an erratum is for the submitter, " + step.case.submitter + ", or the chair" : "";
    },
    "publish": function (step) {
      var told = cases.standing(step.case, step.cases);
      return told[0] === "accepted" ? ""
        : "bundle " + step.case.bundle + " is " + told[0] + ", not accepted: " + told[1];
    },
    "replicate-result": function (step) {
      return step.event.replica === step.case.bundle ? "a bundle does not replicate itself" : "";
    }
  };
  function verdict(step) {
    var event = step.event, cast = votes(step), named = new Set(event.votes), tally = new Map();
    var all = new Set(cast.map(function (vote) { return vote.envelope; }));
    if (all.size !== named.size || Array.from(all).some(function (one) { return !named.has(one); })) {
      return "it does not count all votes: " + cast.length + " were cast, it names " +
        event.votes.length;
    }
    cast.forEach(function (vote) { tally.set(vote.decision, (tally.get(vote.decision) || 0) + 1); });
    var found = referred(step), most = Math.max.apply(null, Array.from(tally.values()));
    if (found && found.type === "appeal" && !among(["uphold", "reject"], event.decision)) {
      return "an appeal can only be upheld or rejected";
    }
    if (event.decision === "waive" && !tally.get("waive")) {
      return "a waiver needs votes, and nobody voted for one";
    }
    if (tally.size && (tally.get(event.decision) || 0) < most) {
      var told = Array.from(tally).sort(function (a, b) { return b[1] - a[1]; });
      return "it decides " + event.decision + " against the votes: " + told.map(function (one) {
        return one[1] + " for " + one[0];
      }).join(", ");
    }
    return "";
  }

  levelfield.conflicts = {
    refusal: refusal, impersonation: impersonation, lackingRole: lackingRole, conflict: conflict,
    referred: referred, about: about, votes: votes
  };
})();
