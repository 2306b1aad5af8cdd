// Step 11: a round's whole log, proved by its checkpoint, opened entry by entry and replayed; as in
// submissions/review/reading.py. Only what a bundle alone could tell, whether lines that an event
// cites are its own, is not looked at: where the site says that they are not, its word is told.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, records = levelfield.records;
  var MAX_ENVELOPE = 1048576;

  function elsewhere() { return { kind: "elsewhere" }; }
  function missing(reason) { return { kind: "missing", reason: reason }; }

  // The content of an entry whose envelope is `data`, with the keys that counted at its place.
  async function opened(entry, index, data, round) {
    var where = "events/" + entry.envelope + ".dsse.json";
    if (entry.kind === "commit") { return { content: elsewhere(), keys: [] }; }
    if (!data || data.length > MAX_ENVELOPE || await bytes.sha256(data) !== entry.envelope) {
      return { content: missing(where + ": not here as it was logged"), keys: [] };
    }
    if (entry.kind === "keyring") { return { content: elsewhere(), keys: [] }; }
    try {
      var keys = round.keys.filter(function (key) { return levelfield.log.counts(key, index); });
      var voucher = await levelfield.statements.unseal(data, where, keys);
      return { content: contentOf(voucher.payload, where, entry, round), keys: voucher.signedBy };
    } catch (error) {
      return { content: { kind: "refused", reason: error.message }, keys: [] };
    }
  }
  function contentOf(payload, where, entry, round) {
    var fields = json.parse(payload, where), kind = String(fields && fields.predicateType);
    // A pointer that says something else than its envelope could hide an objection.
    if (kind !== entry.predicate_type) {
      return missing(where + " is another kind of statement than the log says");
    }
    if (kind !== records.REVIEW_EVENT && !(kind in records.predicates)) { return elsewhere(); }
    if (fields._type !== records.STATEMENT) {
      throw new Error(where + ": its _type is not " + records.STATEMENT);
    }
    var statement = json.read(payload, where, records.statement(kind), true);
    var subject = statement.subject[0], said = statement.predicate;
    if (subject.name !== bytes.idOf(subject.digest.sha256)) {
      throw new Error(where + ": its subject's name is not of its digest");
    }
    if (subject.name !== entry.subject) {
      return missing(where + " is about " + subject.name + ", and the log says " + entry.subject);
    }
    return judged(kind, said, subject, where, round);
  }
  function judged(kind, said, subject, where, round) {
    if (kind === records.VERDICT) {
      var rules = "levelfield/round/" + round.name;
      if (!said.configuration.some(function (one) { return one.name === rules; })) {
        throw new Error(where + ": not by the rules of round " + round.name);
      }
      var passed = said.result !== "FAILED" && !said.failedTests.length;
      return { kind: "checked", failed: passed ? []
        : said.failedTests.length ? said.failedTests : [said.result] };
    }
    if (kind === records.REVIEW_EVENT) {
      if (said.target.indexOf("results/") !== 0 && said.target !== subject.name) {
        throw new Error(where + ": its target is another bundle than its subject");
      }
      return { kind: "event", event: said };
    }
    if (said.round !== round.name) {
      throw new Error(where + ": of round " + said.round + ", this one is " + round.name);
    }
    if (kind === records.COUNTERSIGNATURE) {
      return { kind: "countersigned", statement: said.statement };
    }
    return { kind: "submitted", submitter: said.submitter, nonce: said.nonce,
      results: said.results.map(function (claim) {
        return "results/" + claim.workload + "/" + claim.scenario;
      }) };
  }

  function logged(entry, index, found, doubted) {
    var content = found.content, word = doubted[index];
    if (content.kind === "event" && content.event.at.length && word !== undefined) {
      content = { kind: "refused", reason: word };
      found = { keys: [] };
    }
    return {
      index: index, envelope: entry.envelope, bundle: entry.subject, content: content,
      by: distinct(found.keys.map(function (key) { return key.organisation; })).join(" and "),
      roles: distinct(found.keys.flatMap(function (key) { return key.roles; }))
    };
  }
  function distinct(names) { return Array.from(new Set(names)).sort(); }

  // Every entry of `said`, a round's log as the site lays it out, once its checkpoint has proved
  // that these are all, in this order. `note` is the checkpoint of the bundle's receipts.
  async function entriesOf(said, keys, note) {
    var where = "the round’s log", data = json.parse(bytes.ofText(said), where);
    var reason = records.roundLog(data);
    if (reason) { throw new Error(where + ": " + reason); }
    var entries = data.entries.map(function (one) { return one.entry; });
    var found = await levelfield.log.checkWhole(entries, data.checkpoint, keys, where);
    if (note && (note.origin !== found.origin || note.size !== found.size ||
        !bytes.equal(note.root, found.root))) {
      throw new Error(where + ": another one than the bundle’s receipts are of");
    }
    var round = { name: data.round, keys: keys }, opening = data.entries.map(function (one, index) {
      var envelope = one.envelope === null ? null
        : bytes.ofBase64(one.envelope, where + ": entry " + index);
      return opened(one.entry, index, envelope, round);
    });
    var contents = await Promise.all(opening);
    await checkKeyring(entries, contents, data);
    return { note: found, doubted: data.doubted, logged: entries.map(function (entry, index) {
      return logged(entry, index, contents[index], data.doubted);
    }) };
  }
  // Another keyring could make a reviewer's objection a stranger's.
  async function checkKeyring(entries, contents, data) {
    var last = entries.map(function (entry) { return entry.kind; }).lastIndexOf("keyring");
    if (last < 0) { return; }
    var held = data.signatures === null ? null
      : await bytes.sha256(bytes.ofBase64(data.signatures, "the keyring's signatures"));
    if (held !== entries[last].envelope) {
      contents[last] = { content: missing("the keyring is not the one that the log names last"), keys: [] };
    }
  }

  // What the log comes to for one bundle, in a sentence; refused where the site says otherwise.
  async function review(run) {
    var trust = run.trust;
    await levelfield.trust.load(trust.replay.address);
    var whole = await entriesOf(levelfield.logs[trust.replay.round], trust.keys, run.note);
    var status = levelfield.replay.statuses(whole.logged).get(run.id);
    if (!status) { throw new Error("the round’s log: bundle " + run.id + " was never handed in"); }
    var told = status.state + ": " + status.why + ".";
    if (trust.standing !== told) {
      throw new Error("the round’s log: replayed here it says “" + told + "”, and this site says “" +
        trust.standing + "”");
    }
    var doubts = Object.keys(whole.doubted).length;
    return "Replayed here, all " + whole.note.size + " entries of the log, as its signed checkpoint " +
      "has them: " + told + " Level " + status.level + "." + reviewers(status) + (doubts
        ? " Of " + doubts + " of them this site says that the lines which they cite are not those " +
          "of the bundle; that needs the bundles: levelfield review status" : "");
  }
  function reviewers(status) {
    var open = status.objections.filter(function (one) { return !one.closed; }).length;
    return (status.reviewed_by.length ? " Reviewed by " + status.reviewed_by.join(", ") + "." : "") +
      (open ? " Open objections: " + open + "." : "");
  }

  levelfield.logs = levelfield.logs || {};
  levelfield.review = { review: review, entriesOf: entriesOf };
})();
