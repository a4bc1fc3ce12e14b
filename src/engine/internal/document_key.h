#pragma once

#include <compare>

#include "bson/document.h"

namespace tidemark::engine {

// Where a document stands in a run: its _id. A document without one (old capped collections hold
// such) counts as null and stands before _id: null; it is never equal to another document. Borrows
// from the document.
struct DocumentKey {
  bool present = false;
  bson::Element value{.type = bson::Type::kNull, .name = {}, .value = {}};
};

DocumentKey KeyOf(const bson::Document& document);
// Only two present keys that are equivalent name the same document.
std::weak_ordering CompareKeys(const DocumentKey& a, const DocumentKey& b);
bool SameDocument(const DocumentKey& a, const DocumentKey& b);

// Appends {"": _id}, or the empty document for a missing _id.
void AppendKey(const DocumentKey& key, Bytes& out);
// {"": _id}, the empty document for a missing _id; and back. The key borrows from `bytes`.
Bytes EncodeKey(const DocumentKey& key);
DocumentKey DecodeKey(ByteView bytes);

// A copy of the latest key, overwritten in place: no allocation per document.
class KeyCopy {
 public:
  void Assign(const DocumentKey& key);
  DocumentKey Get() const;

 private:
  bool present_ = false;
  bson::Type type_ = bson::Type::kNull;
  Bytes value_;
};

}  // namespace tidemark::engine
