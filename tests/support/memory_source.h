#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/error.h"
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

  SourceCatalog ReadCatalog() override { return catalog_; }

  void Scan(const SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    std::size_t visited = 0;
    for (const Bytes& document : DocumentsOf(ns)) {
      if (stop.stop_requested()) {
        throw Error(ErrorCode::kCancelled, "scanning memory: cancelled");
      }
      if (hook_) {
        hook_(visited++);
      }
      visit(document);
    }
  }

 private:
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
};

}  // namespace tidemark::engine
