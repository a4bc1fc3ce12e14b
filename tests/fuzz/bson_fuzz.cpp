// Anything may come in; nothing but Error{kCorrupt} may come out, and what Validate accepts must
// not throw later.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "bson/document.h"

namespace {

using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;
using tidemark::bson::CompareValues;
using tidemark::bson::Document;
using tidemark::bson::Element;

constexpr std::size_t kMaxElements = 64;  // compared pairwise

template <class Body>
bool Accepts(Body body) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt);
    return false;
  }
}

std::vector<Element> Collect(const Document& document) {
  std::vector<Element> elements;
  for (const Element& element : document) {
    static_cast<void>(element.AsInteger());
    static_cast<void>(element.AsString());
    static_cast<void>(element.AsDocument());
    elements.push_back(element);
  }
  return elements;
}

void CompareAll(const std::vector<Element>& elements) {
  const std::size_t count = std::min(elements.size(), kMaxElements);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      const std::weak_ordering order = CompareValues(elements[i], elements[j]);
      TIDEMARK_CHECK((0 <=> order) == CompareValues(elements[j], elements[i]));
      TIDEMARK_CHECK(i != j || order == 0);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  std::vector<Element> elements;
  const bool valid = Accepts([&] { tidemark::bson::Validate(bytes); });
  const bool readable = Accepts([&] { elements = Collect(Document(bytes)); });
  TIDEMARK_CHECK(readable || !valid);
  const bool comparable = Accepts([&] { CompareAll(elements); });
  TIDEMARK_CHECK(comparable || !valid);
  Accepts([&] { static_cast<void>(tidemark::bson::ToJson(Document(bytes))); });
  return 0;
}
