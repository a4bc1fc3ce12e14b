#pragma once

#include "base/bytes.h"
#include "bson/document.h"

namespace tidemark::memory {

// Whether an update's `u` changes fields ($set, $unset, $inc, $setOnInsert) or replaces the
// document. Throws CommandError (9 FailedToParse) for a pipeline and other operators.
enum class UpdateForm { kReplacement, kOperators };
UpdateForm FormOf(const bson::Element& update);

enum class Occasion { kUpdate, kUpsert };  // $setOnInsert acts on an upsert only

// `document` after `update`. Dotted paths go into documents and existing array elements.
// Throws CommandError 66 ImmutableField when the _id would change.
Bytes Apply(const bson::Document& document, const bson::Document& update, Occasion occasion);

// `update` with the _id of `document` in front.
Bytes Replaced(const bson::Document& document, const bson::Document& update);

// How the oplog says what changed: {$v: 2, diff: {d: .., u: .., i: .., s<field>: ..}}.
Bytes DiffEntry(const bson::Document& before, const bson::Document& after);

}  // namespace tidemark::memory
