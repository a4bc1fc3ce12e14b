#pragma once

#include <algorithm>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "bson/document.h"
#include "engine/source.h"

namespace tidemark::engine {

// A source that holds its documents in memory, for tests and benchmarks. Synchronized: constant
// while it is read.
class MemorySource final : public SnapshotSource {
 public:
  using Hook = std::function<void(std::size_t documents_visited)>;

  SourceNamespace& Add(std::string database, std::string collection, std::vector<Bytes> documents) {
    SourceNamespace& ns = catalog_.namespaces.emplace_back();
    ns.database = std::move(database);
    ns.collection = std::move(collection);
    ns.estimated_documents = documents.size();
    documents_.push_back(std::move(documents));
    return ns;
  }

  // From now on the namespace holds these.
  void Replace(std::string_view database,
               std::string_view collection,
               std::vector<Bytes> documents) {
    for (std::size_t i = 0; i < catalog_.namespaces.size(); ++i) {
      SourceNamespace& known = catalog_.namespaces[i];
      if (known.database == database && known.collection == collection) {
        known.estimated_documents = documents.size();
        documents_[i] = std::move(documents);
        return;
      }
    }
    throw Error(ErrorCode::kNotFound, "filling memory: no such namespace");
  }

  SourceCatalog& catalog() { return catalog_; }

  // Called before each document: may throw, or stop the run.
  void SetHook(Hook hook) { hook_ = std::move(hook); }

  // From now on documents can be read by _id. REQUIRES: they are added in that order.
  void OfferById() { by_id_ = true; }

  SourceCatalog ReadCatalog() override { return catalog_; }

  bool ReadsById(const SourceNamespace&) override { return by_id_; }

  void ScanById(const SourceNamespace& ns,
                ByteView after,
                const std::stop_token& stop,
                const std::function<void(ByteView document)>& visit) override {
    const std::vector<Bytes>& documents = DocumentsOf(ns);
    const auto is_before = [after](const Bytes& document) {
      return !after.empty() && bson::CompareValues(*bson::Document(document).Find("_id"),
                                                   *bson::Document(after).begin()) <= 0;
    };
    Visit({std::ranges::find_if_not(documents, is_before), documents.end()}, stop, visit);
  }

  void Scan(const SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    Visit(DocumentsOf(ns), stop, visit);
  }

 private:
  void Visit(std::span<const Bytes> documents,
             const std::stop_token& stop,
             const std::function<void(ByteView document)>& visit) const {
    std::size_t visited = 0;
    for (const Bytes& document : documents) {
      if (stop.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "scanning memory: cancelled");
      }
      if (hook_) {
        hook_(visited++);
      }
      visit(document);
    }
  }

  const std::vector<Bytes>& DocumentsOf(const SourceNamespace& ns) const {
    for (std::size_t i = 0; i < catalog_.namespaces.size(); ++i) {
      const SourceNamespace& known = catalog_.namespaces[i];
      if (known.database == ns.database && known.collection == ns.collection) {
        return documents_[i];
      }
    }
    throw Error(ErrorCode::kNotFound, "scanning memory: no such namespace");
  }

  SourceCatalog catalog_;
  std::vector<std::vector<Bytes>> documents_;
  Hook hook_;
  bool by_id_ = false;
};

}  // namespace tidemark::engine
