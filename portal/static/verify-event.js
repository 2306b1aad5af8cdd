// The shape of a review event; as in submissions/review/event.py.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var shape = levelfield.json.shape, record = shape.record, list = shape.list, text = shape.text;
  var MAX_TEXT_BYTES = 16384;
  // By number: each browser knows another Unicode, and everybody must refuse the same text.
  var NOT_PLAIN = new RegExp("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u0600-\\u0605\\u061c\\u06dd" +
    "\\u070f\\u0890\\u0891\\u08e2\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ud800-\\uf8ff" +
    "\\ufdd0-\\ufdef\\ufeff\\ufff0-\\ufffb\\ufffe\\uffff\\u{110bd}\\u{110cd}\\u{13430}-\\u{1343f}" +
    "\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e00ff}" +
    "\\u{e01f0}-\\u{e0fff}\\u{f0000}-\\u{10ffff}\\p{Noncharacter_Code_Point}]", "u");
  var NEEDED = {
    "review-assigned": ["reviewer"], "review-done": [], "recuse": [], "objection": ["text"],
    "second": ["refers_to"], "drop": ["refers_to"], "response": ["refers_to", "text"],
    "concede": ["refers_to"], "amend": ["superseded_by"], "replicate-request": [],
    "replicate-grant": ["refers_to"], "replicate-refuse": ["refers_to", "text"],
    "replicate-result": ["replica", "outcome"], "vote": ["refers_to", "decision"],
    "verdict": ["decision", "text"], "appeal": ["refers_to", "text"], "withdraw": ["text"],
    "erratum": ["text"], "freeze": [], "publish": []
  };
  var ALLOWED = {
    "objection": ["rule", "at"], "response": ["rule", "at"], "review-done": ["at"],
    "replicate-result": ["at"], "verdict": ["refers_to", "rule", "at", "effect", "votes"]
  };
  var BY_DECISION = {
    "uphold": ["refers_to"], "reject": ["refers_to"], "waive": ["refers_to", "rule", "effect"],
    "reclassify": ["effect"], "void": [], "attest": []
  };
  var ALWAYS = ["type", "by", "target", "text"];

  var identifier = text(/^[a-z0-9][a-z0-9_.-]{0,63}$/), sha256 = text(/^[0-9a-f]{64}$/);
  var bundle = text(/^[a-z2-7]{20}$/), orNull = shape.orNull;
  function line(value) { return value === 0 ? "lines are counted from 1" : shape.count(2147483648)(value); }
  // Letters are counted whole, not by the halves of those beyond the first plane.
  function letters(most) {
    return function (value) {
      return text()(value) || (Array.from(value).length <= most ? "" : "more than " + most + " letters");
    };
  }
  var citation = record({
    file: letters(200), sha256: sha256, first: line, last: line, lines_sha256: sha256
  });
  var fields = {
    type: shape.oneOf(Object.keys(NEEDED)), by: identifier,
    target: text(/^([a-z2-7]{20}|results\/[a-z0-9_.-]+\/[a-z_]+)$/),
    rule: orNull(text(/^[A-Z][A-Z0-9]{0,15}-[0-9]{1,3}$/)), at: list(citation, 0, 64),
    refers_to: orNull(sha256), text: text(), reviewer: orNull(identifier),
    superseded_by: orNull(bundle), replica: orNull(bundle),
    outcome: orNull(shape.oneOf(["equal", "different", "cannot tell"])),
    decision: orNull(shape.oneOf(Object.keys(BY_DECISION))), effect: letters(500),
    votes: list(sha256, 0, 256)
  };
  var plainFields = record(fields);

  function unplain(value) {
    if (levelfield.bytes.ofText(value).length > MAX_TEXT_BYTES) {
      return "text longer than " + MAX_TEXT_BYTES + " bytes";
    }
    return NOT_PLAIN.test(value) ? "text is not plain" : "";
  }
  function event(value) {
    var reason = plainFields(value);
    if (reason) { return reason; }
    var needed = NEEDED[value.type];
    if (value.type === "verdict" && value.decision) {
      needed = needed.concat(BY_DECISION[value.decision]);
    }
    var allowed = needed.concat(ALLOWED[value.type] || [], ALWAYS);
    var told = Object.keys(fields).filter(function (name) {
      return Array.isArray(value[name]) ? value[name].length : value[name];
    });
    var lacking = needed.find(function (name) { return told.indexOf(name) < 0; });
    var odd = told.find(function (name) { return allowed.indexOf(name) < 0; });
    if (lacking) { return value.type + " needs " + lacking; }
    return odd ? value.type + " has no " + odd : unplain(value.text) || unplain(value.effect);
  }

  levelfield.records.REVIEW_EVENT = "urn:levelfield:predicate/review-event/v1";
  levelfield.records.event = event;
  levelfield.records.unplain = unplain;
})();
