// Replays a round's log: each bundle's status, as a function of the entries; as in
// submissions/review/replay.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var cases = levelfield.cases, rules = levelfield.conflicts;

  function Replay() {
    this.cases = new Map();
    this.missing = "";
    this.unplaced = [];
    this.seen = new Map();
    this.nonces = new Map(); // the case that has each: no second bundle gets it
  }
  // Why an entry would be ignored if it were the next one; empty if it would count.
  Replay.prototype.refusalOf = function (entry) {
    var content = entry.content, one = this.cases.get(entry.bundle || "");
    if (this.seen.has(entry.envelope)) {
      return "entry " + this.seen.get(entry.envelope) + " is the same statement";
    }
    if (content.kind === "refused") { return content.reason; }
    if (content.kind === "submitted") { return this.submissionRefusal(entry, content); }
    if (!one) { return "no bundle " + entry.bundle + " has been submitted to this round"; }
    if (content.kind === "event") { return rules.refusal(this.step(entry, one)); }
    if (content.kind === "countersigned" && !one.statements.has(content.statement)) {
      return content.statement.slice(0, 12) + " is no statement of the submitter in this log";
    }
    return rules.conflict("review-done", entry.by, one) ||
      rules.lackingRole(content.kind === "checked" ? ["review", "root"] : ["review"], entry);
  };
  Replay.prototype.submissionRefusal = function (entry, content) {
    var same = this.nonces.get(content.nonce);
    return same && same.bundle !== entry.bundle ? "replayed: its nonce is that of bundle " + same.bundle + " (entry " + same.index + ")"
      : rules.impersonation(content.submitter, entry) || rules.lackingRole(["submit"], entry);
  };
  Replay.prototype.step = function (entry, one) {
    return { event: entry.content.event, logged: entry, case: one, cases: this.cases };
  };
  Replay.prototype.take = function (entry) {
    var content = entry.content;
    if (content.kind === "elsewhere") { return; }
    if (content.kind === "missing") {
      this.missing = this.missing || "entry " + entry.index + " is missing: " + content.reason;
      return;
    }
    var reason = this.refusalOf(entry), bundle = entry.bundle || "";
    if (!this.seen.has(entry.envelope)) { this.seen.set(entry.envelope, entry.index); }
    if (reason) {
      this.ignore(entry, reason);
    } else if (content.kind === "submitted") {
      if (!this.cases.has(bundle)) {
        this.cases.set(bundle, cases.newCase(bundle, content, entry.index));
        this.nonces.set(content.nonce, this.cases.get(bundle));
      }
      this.cases.get(bundle).statements.add(entry.envelope);
    } else {
      this.count(entry, this.cases.get(bundle));
    }
  };
  Replay.prototype.ignore = function (entry, reason) {
    var content = entry.content, one = this.cases.get(entry.bundle || "");
    var what = content.kind === "event" ? content.event.type : content.kind;
    (one ? one.ignored : this.unplaced).push({
      index: entry.index, what: what + " by " + (entry.by || "nobody known"), reason: reason
    });
  };
  Replay.prototype.count = function (entry, one) {
    var content = entry.content;
    if (content.kind === "checked") { one.checks.set(entry.by, content.failed); }
    if (content.kind === "countersigned") { one.countersigned.add(entry.by); }
    if (content.kind === "event") {
      var effect = EFFECTS[content.event.type];
      if (effect) { effect(this.step(entry, one)); }
      one.events.set(entry.envelope, content.event);
    }
  };

  // Every effect of an event on its case; of the other types nothing follows but that they are said.
  var EFFECTS = {
    "review-assigned": function (step) { step.case.assigned.add(step.event.reviewer || ""); },
    "review-done": function (step) { step.case.done.add(step.event.by); },
    "recuse": function (step) { step.case.recused.add(step.event.by); },
    "objection": function (step) {
      step.case.objections.set(step.logged.envelope, {
        envelope: step.logged.envelope, index: step.logged.index, event: step.event,
        seconded_by: [], responses: [], conceded: false, closed: ""
      });
    },
    "second": on(function (objection, step) {
      if (objection.seconded_by.indexOf(step.event.by) < 0) {
        objection.seconded_by.push(step.event.by);
      }
    }),
    "drop": on(function (objection, step) {
      objection.closed = "dropped by " + step.event.by + ", entry " + step.logged.index;
    }),
    "response": on(function (objection, step) { objection.responses.push(step.event.text); }),
    "concede": on(function (objection) { objection.conceded = true; }),
    "amend": function (step) {
      step.case.superseded_by = step.event.superseded_by;
      step.cases.get(step.event.superseded_by || "").supersedes = step.case.bundle;
    },
    "replicate-result": function (step) {
      var event = step.event;
      step.case.replications.set(event.target + " " + event.by, {
        target: event.target, by: event.by, bundle: event.replica, outcome: event.outcome
      });
    },
    "vote": function (step) {
      var event = step.event, held = step.case.votes;
      if (!held.has(event.refers_to)) { held.set(event.refers_to, []); }
      held.get(event.refers_to).push({
        envelope: step.logged.envelope, by: event.by, decision: event.decision
      });
    },
    "verdict": decided,
    "withdraw": function (step) { step.case.withdrawn = true; },
    "erratum": function (step) { step.case.errata.push(step.event.text); },
    "freeze": function (step) { step.case.frozen = true; },
    "publish": function (step) { step.case.published = step.logged.index; }
  };
  function on(effect) {
    return function (step) {
      var objection = rules.about(step);
      if (objection) { effect(objection, step); }
    };
  }
  function decided(step) {
    var event = step.event, one = step.case, found = rules.referred(step);
    if (found && found.type === "appeal") {
      decidedAppeal(step, found);
      return;
    }
    if (["reject", "waive", "reclassify"].indexOf(event.decision) >= 0) { close(step); }
    if (event.decision === "uphold") { one.rejected = step.logged.envelope; }
    if (event.decision === "void") { one.void = step.logged.envelope; }
    if (event.decision === "attest") { one.attested = true; }
    if (event.decision === "reclassify") { one.effects.push(event.effect); }
    if (event.decision === "waive" && event.rule) {
      one.waivers.push({
        rule: event.rule, reason: event.text, effect: event.effect, index: step.logged.index,
        votes: rules.votes(step).map(function (vote) { return vote.by + ": " + vote.decision; })
      });
    }
  }
  // Closes the objection that a verdict refers to, itself or by way of the response to it.
  function close(step) {
    var found = rules.referred(step);
    var asked = found && found.type === "response" ? found.refers_to : step.event.refers_to;
    var objection = cases.openObjection(asked, step.case, step.cases);
    if (objection) {
      objection.closed = "verdict: " + step.event.decision + ", entry " + step.logged.index;
    }
  }
  // An appeal that is upheld undoes the verdict, and closes the objection that it upheld.
  function decidedAppeal(step, appeal) {
    if (step.event.decision !== "uphold" || appeal.refers_to === null) { return; }
    if (appeal.refers_to === step.case.rejected) {
      step.case.rejected = "";
      close(Object.assign({}, step, { event: step.case.events.get(appeal.refers_to) }));
    } else if (appeal.refers_to === step.case.void) {
      step.case.void = "";
    }
  }

  // The books of all bundles after `entries`, which are in the order of the log. One status at a
  // time is made of them: of a long chain of amendments each holds what was said of those before.
  function replayed(entries) {
    var replay = new Replay();
    entries.forEach(function (entry) { replay.take(entry); });
    return {
      unplaced: replay.unplaced,
      bundles: function () { return Array.from(replay.cases.keys()); },
      lineage: function (bundle) {
        return cases.lineage(replay.cases.get(bundle), replay.cases).map(function (one) {
          return one.bundle;
        });
      },
      status: function (bundle) {
        var one = replay.cases.get(bundle);
        return one ? cases.statusOf(one, replay.cases, replay.missing) : null;
      }
    };
  }

  levelfield.replay = { replayed: replayed };
})();
