// Strict JSON as submissions/strict_json.py reads it, its canonical form (RFC 8785), and shapes of
// records. Whatever is doubtful is refused, by name.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var MAX_DEPTH = 32, UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  var NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
  var WORD = /-?[A-Za-z]+/y;
  var ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
  var WORDS = { "true": true, "false": false, "null": null };

  function refuse(reason) { throw new Error(reason); }

  function textOf(bytes) {
    var first = bytes[0] << 8 | bytes[1];
    if (first === 0xfffe || first === 0xfeff || (first === 0xefbb && bytes[2] === 0xbf)) {
      refuse("begins with a byte order mark; JSON is plain UTF-8");
    }
    if (bytes.indexOf(0) >= 0) { refuse("holds NUL bytes (UTF-16?); JSON is plain UTF-8"); }
    try {
      return UTF8.decode(bytes);
    } catch (error) {
      return refuse("not UTF-8");
    }
  }

  // One text and the place that has been reached in it.
  function Reader(text) { this.text = text; this.at = 0; }
  Reader.prototype.take = function (pattern) {
    pattern.lastIndex = this.at;
    var found = pattern.exec(this.text);
    if (found) { this.at = pattern.lastIndex; }
    return found;
  };
  Reader.prototype.next = function () {
    var mark = this.text.charCodeAt(this.at);
    while (mark === 32 || mark === 10 || mark === 13 || mark === 9) {
      this.at += 1;
      mark = this.text.charCodeAt(this.at);
    }
    return this.text[this.at];
  };
  Reader.prototype.skip = function (mark) {
    if (this.next() !== mark) { refuse("not JSON: no " + mark + " at character " + this.at); }
    this.at += 1;
  };
  Reader.prototype.value = function (depth) {
    var mark = this.next();
    if (mark === "{" || mark === "[") {
      if (depth === MAX_DEPTH) { refuse("nested deeper than " + MAX_DEPTH + " levels"); }
      this.at += 1;
      return mark === "{" ? this.object(depth + 1) : this.list(depth + 1);
    }
    return mark === '"' ? this.string() : this.plain();
  };
  Reader.prototype.object = function (depth) {
    var found = Object.create(null); // so that the name __proto__ is a name like any other
    if (this.next() === "}") { this.at += 1; return found; }
    for (;;) {
      if (this.next() !== '"') { refuse("not JSON: no name at character " + this.at); }
      var key = this.string();
      if (key in found) { refuse("duplicate key '" + key.slice(0, 80) + "'"); }
      this.skip(":");
      found[key] = this.value(depth);
      if (this.next() !== ",") { this.skip("}"); return found; }
      this.at += 1;
    }
  };
  Reader.prototype.list = function (depth) {
    var found = [];
    if (this.next() === "]") { this.at += 1; return found; }
    for (;;) {
      found.push(this.value(depth));
      if (this.next() !== ",") { this.skip("]"); return found; }
      this.at += 1;
    }
  };
  Reader.prototype.string = function () {
    var found = "", begun = this.at + 1, doubtful = false;
    for (this.at = begun; ; this.at += 1) {
      var mark = this.text.charCodeAt(this.at);
      if (mark === 34) { break; }
      if (mark === 92) {
        found += this.text.slice(begun, this.at) + this.escaped();
        begun = this.at + 1;
        doubtful = true;
      } else if (!(mark >= 32)) {
        refuse("not JSON: a text without end, or with a control character");
      }
    }
    found += this.text.slice(begun, this.at);
    this.at += 1;
    // Only an escape can bring in half a pair: the bytes themselves are UTF-8.
    if (doubtful && /[\ud800-\udfff]/u.test(found)) { refuse("a lone surrogate in a text"); }
    return found;
  };
  // Leaves the reader at the escape's last character.
  Reader.prototype.escaped = function () {
    this.at += 1;
    var mark = this.text[this.at], digits = this.text.slice(this.at + 1, this.at + 5);
    if (mark in ESCAPES) { return ESCAPES[mark]; }
    if (mark !== "u" || !/^[0-9A-Fa-f]{4}$/.test(digits)) { refuse("not JSON: a bad escape"); }
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  };
  Reader.prototype.plain = function () {
    var number = this.take(NUMBER);
    if (number) { return numberOf(number); }
    var word = this.take(WORD);
    if (word && own(WORDS, word[0])) { return WORDS[word[0]]; }
    return refuse(word && /^(NaN|-?Infinity)$/.test(word[0])
      ? word[0] + " is not JSON" : "not JSON: no value at character " + this.at);
  };

  function numberOf(found) {
    var text = found[0], value = Number(text), shown = text.slice(0, 24);
    if (value === 0 && text[0] === "-") { refuse("the number " + shown + " (minus zero)"); }
    if (found[1] === undefined && found[2] === undefined) {
      if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
        refuse("the integer " + shown + " is beyond 2^53-1");
      }
    } else if (!isFinite(value)) { refuse("the number " + shown + " is infinite"); }
    return value;
  }

  function parse(bytes, where) {
    try {
      var reader = new Reader(textOf(bytes)), value = reader.value(0);
      if (reader.next() !== undefined) { refuse("not JSON: more behind its end"); }
      return value;
    } catch (error) {
      throw new Error(where + ": " + error.message);
    }
  }

  function canonical(value) {
    if (Array.isArray(value)) { return "[" + value.map(canonical).join(",") + "]"; }
    if (value === null || typeof value !== "object") { return JSON.stringify(value); }
    return "{" + Object.keys(value).sort().map(function (key) {
      return JSON.stringify(key) + ":" + canonical(value[key]);
    }).join(",") + "}";
  }

  // Shapes: functions that say what is wrong with a value, or nothing.
  var shape = {
    text: function (pattern, most) {
      return function (value) {
        return typeof value === "string" && (!pattern || pattern.test(value)) &&
          (!most || Array.from(value).length <= most) ? "" : "not such a text as belongs here";
      };
    },
    count: function (most) {
      return function (value) {
        return Number.isInteger(value) && value >= 0 && value <= (most || Number.MAX_SAFE_INTEGER)
          ? "" : "not a number as belongs here";
      };
    },
    oneOf: function (values) {
      return function (value) {
        return values.indexOf(value) >= 0 ? "" : "not one of " + values.join(", ");
      };
    },
    orNull: function (inner) {
      return function (value) { return value === null ? "" : inner(value); };
    },
    list: function (inner, least, most) {
      return function (value) {
        if (!Array.isArray(value)) { return "not a list"; }
        if (value.length < (least || 0) || value.length > (most || Infinity)) {
          return value.length + " items, which is too few or too many";
        }
        return value.map(inner).find(Boolean) || "";
      };
    },
    map: function (inner) {
      return function (value) {
        if (value === null || typeof value !== "object" || Array.isArray(value)) {
          return "not an object";
        }
        return Object.keys(value).map(function (key) { return inner(value[key]); }).find(Boolean) || "";
      };
    },
    record: function (fields, optional) {
      return function (value) {
        if (value === null || typeof value !== "object" || Array.isArray(value)) {
          return "not an object";
        }
        var extra = Object.keys(value).find(function (key) { return !own(fields, key); });
        if (extra !== undefined) { return extra.slice(0, 80) + ": not a field of it"; }
        return Object.keys(fields).map(function (key) {
          if (!(key in value)) {
            return (optional || []).indexOf(key) >= 0 ? "" : key + ": missing";
          }
          var reason = fields[key](value[key]);
          return reason && key + ": " + reason;
        }).find(Boolean) || "";
      };
    }
  };
  function own(object, key) { return Object.prototype.hasOwnProperty.call(object, key); }

  // The record in `bytes`, which must have this shape; `exact` if its one canonical form as well.
  function read(bytes, where, wanted, exact) {
    var value = parse(bytes, where), reason = wanted(value);
    if (reason) { throw new Error(where + ": " + reason); }
    if (exact && !levelfield.bytes.equal(levelfield.bytes.ofText(canonical(value)), bytes)) {
      throw new Error(where + ": not in canonical form (RFC 8785)");
    }
    return value;
  }

  levelfield.json = { parse: parse, canonical: canonical, read: read, shape: shape };
})();
