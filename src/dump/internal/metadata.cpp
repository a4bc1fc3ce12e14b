#include "dump/internal/metadata.h"

#include <set>

#include "base/error.h"
#include "bson/document.h"
#include "bson/parse_json.h"
#include "dump/internal/limits.h"

namespace tidemark::dump {
namespace {

[[noreturn]] void ThrowBad(std::string_view member, const char* why) {
  throw Error(ErrorCode::kCorrupt, "the metadata's member \"" + std::string(member) + "\" " + why);
}

// Version 2 marks the numbers of every index, in its canonical form, and has a name of its own for
// regular expressions.
bson::RegexForm RegexFormOf(std::string_view text) {
  const bool version_2 = text.find("\"$numberInt\"") != std::string_view::npos ||
                         text.find("\"$regularExpression\"") != std::string_view::npos;
  return version_2 ? bson::RegexForm::kDocument : bson::RegexForm::kStrictMode;
}

Bytes DocumentOf(const bson::Element& element) {
  if (element.type != bson::Type::kDocument) {
    ThrowBad(element.name, "is no document");
  }
  return {element.value.begin(), element.value.end()};
}

std::vector<Bytes> IndexesOf(const bson::Element& element) {
  std::vector<Bytes> indexes;
  if (element.type == bson::Type::kNull) {  // tools before 3.4 wrote it for a view
    return indexes;
  }
  if (element.type != bson::Type::kArray) {
    ThrowBad(element.name, "is no array");
  }
  for (const bson::Element& index : bson::Document(element.value)) {
    indexes.push_back(DocumentOf(index));
  }
  return indexes;
}

std::string TextOf(const bson::Element& element) {
  const auto text = element.AsString();
  if (!text) {
    ThrowBad(element.name, "is no text");
  }
  return std::string(*text);
}

repo::NamespaceKind KindOf(const bson::Element& element) {
  const std::string type = TextOf(element);
  if (type == "view") {
    return repo::NamespaceKind::kView;
  }
  if (type == "timeseries") {
    return repo::NamespaceKind::kTimeseries;
  }
  if (!type.empty() && type != "collection") {
    ThrowBad(element.name, "is neither collection, view nor timeseries");
  }
  return repo::NamespaceKind::kCollection;
}

void ReadMember(const bson::Element& element, Metadata& metadata) {
  if (element.name == "options") {
    metadata.options = DocumentOf(element);
  } else if (element.name == "indexes") {
    metadata.indexes = IndexesOf(element);
  } else if (element.name == "collectionName") {
    metadata.collection = TextOf(element);
  } else if (element.name == "type") {
    metadata.kind = KindOf(element);
  } else if (element.name != "uuid") {  // the target gives a collection another one
    metadata.unknown_members.emplace_back(element.name);
  }
}

// Old tools wrote no type: only a view has the option.
void InferView(Metadata& metadata) {
  if (metadata.kind == repo::NamespaceKind::kCollection &&
      bson::Document(metadata.options).Find("viewOn")) {
    metadata.kind = repo::NamespaceKind::kView;
  }
}

void CheckSize(std::string_view text) {
  if (text.size() > kMaxMetadata) {
    throw Error(ErrorCode::kResourceExhausted,
                "the metadata of " + std::to_string(text.size()) + " bytes are more than " +
                    std::to_string(kMaxMetadata));
  }
}

}  // namespace

Metadata ReadMetadata(std::string_view text) {
  CheckSize(text);
  const Bytes bytes = bson::ParseJson(text, RegexFormOf(text));
  Metadata metadata;
  const bson::Document none;
  metadata.options.assign(none.bytes().begin(), none.bytes().end());
  std::set<std::string_view> seen;
  for (const bson::Element& element : bson::Document(bytes)) {
    if (!seen.insert(element.name).second) {
      ThrowBad(element.name, "is there twice");
    }
    ReadMember(element, metadata);
  }
  InferView(metadata);
  return metadata;
}

std::string ReadPrelude(std::string_view text) {
  CheckSize(text);
  const Bytes bytes = bson::ParseJson(text);
  const auto version = bson::Document(bytes).Find("ServerVersion");
  const std::string known = version ? TextOf(*version) : "";
  return known == "unknown" ? "" : known;
}

}  // namespace tidemark::dump
