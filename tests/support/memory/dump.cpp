#include "tests/support/memory/dump.h"

#include "base/error.h"
#include "base/file.h"
#include "codec/collection_name.h"

namespace tidemark::memory {
namespace {

constexpr std::size_t kMaxCatalog = 64U << 20;    // bytes
constexpr std::size_t kMaxCollection = 1U << 30;  // bytes

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

void LoadDocuments(Store& store, const NamespacePtr& ns, const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    return;
  }
  const Bytes documents = ReadFile(file, kMaxCollection);
  store.Insert(
      ns, documents, 0, Store::Order::kUnordered, [&](std::int32_t, const CommandError& why) {
        throw Error(ErrorCode::kCorrupt, "loading " + file.string() + ": " + why.what());
      });
}

// Views come with the documents of system.views, which this store writes by itself.
bool IsMadeByTheServer(std::string_view collection) {
  return collection == "system.views" || collection == "system.profile";
}

void LoadNamespace(Store& store,
                   std::string_view database,
                   const bson::Document& entry,
                   const std::filesystem::path& directory) {
  const bson::Document info = DocumentAt(entry, "info");
  const std::string name(TextAt(info, "name"));
  if (IsMadeByTheServer(name)) {
    return;
  }
  const bson::Document options = DocumentAt(info, "options");
  NamespacePtr ns = store.Find(database, name);  // a time-series collection's buckets are there
  if (ns == nullptr) {
    ns = store.Create(database, name, options);
  }
  ns->options = CopyOf(options.bytes());
  if (entry.Find("indexes")) {
    ns->indexes.clear();
    const bson::Document indexes = DocumentAt(entry, "indexes");
    for (const bson::Element& index : indexes) {
      ns->indexes.push_back(CopyOf(index.value));
    }
  }
  if (ns->type == "collection") {
    LoadDocuments(store, ns, directory / database / (codec::EscapeCollection(name) + ".bson"));
  }
}

}  // namespace

void LoadDumpState(Store& store, const std::filesystem::path& directory) {
  const Bytes catalog = bson::FromJson(AsText(ReadFile(directory / "catalog.json", kMaxCatalog)));
  for (const bson::Element& database : Doc(catalog)) {
    const auto entries = database.AsDocument();
    for (const bson::Element& entry : entries.value_or(bson::Document())) {
      LoadNamespace(store, database.name, entry.AsDocument().value_or(bson::Document()), directory);
    }
  }
}

void GenerateCollection(Store& store,
                        const std::string& ns,
                        std::uint64_t documents,
                        std::uint32_t bytes,
                        IdOrder order) {
  const std::size_t dot = ns.find('.');
  if (dot == std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument, "generating " + ns + ": it is no database.collection");
  }
  const NamespacePtr target =
      store.ForWriting(ns.substr(0, dot), std::string_view(ns).substr(dot + 1));
  constexpr std::size_t kOverhead = 60;               // bytes of a document beside its text
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // times i: no number comes twice
  const std::uint64_t step = order == IdOrder::kScattered ? kOdd : 1;
  SeededRandom random(documents);
  const std::size_t text = bytes > kOverhead ? bytes - kOverhead : 1;
  for (std::uint64_t i = 0; i < documents; ++i) {
    // Half of the text is hard to compress, as that of real documents is.
    std::string filling = RandomHex(random, text / 4);
    filling.resize(text, 'x');
    const Bytes document = bson::Builder()
                               .Append("_id", static_cast<std::int64_t>(i * step))
                               .Append("group", static_cast<std::int32_t>(i % 1000))
                               .Append("text", filling)
                               .Finish();
    store.Insert(
        target, document, 0, Store::Order::kOrdered, [&](std::int32_t, const CommandError& why) {
          throw Error(ErrorCode::kConflict, "generating " + ns + ": " + why.what());
        });
  }
}

}  // namespace tidemark::memory
