#pragma once

#include <string_view>

#include "base/bytes.h"

namespace tidemark::bson {

// {"$regex": "a", "$options": "i"} is a regular expression in the strict mode of old tools. In
// Extended JSON v2 it is the query operator, a document like any other.
enum class RegexForm { kDocument, kStrictMode };

// One document of Extended JSON v2, canonical or relaxed, or of the strict mode before it, to BSON:
// fields in order, also repeated ones, numbers of the types they are marked with; an unmarked whole
// number is an int32, an int64 or, beyond that, a double. kCorrupt, with the byte where, for
// everything else: no JSON, a marker such as $oid with a value that it cannot have, more than
// kMaxDepth levels, more than kMaxDocumentSize bytes of BSON. For bytes from outside.
Bytes ParseJson(std::string_view json, RegexForm regex = RegexForm::kDocument);

}  // namespace tidemark::bson
