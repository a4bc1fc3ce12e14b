#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "bson/document.h"
#include "repo/repository.h"

namespace tidemark::engine {

// A namespace as the source lists it, before its documents are read.
struct SourceNamespace {
  std::string database;
  std::string collection;
  repo::NamespaceKind kind = repo::NamespaceKind::kCollection;
  Bytes options;                          // BSON
  std::vector<Bytes> indexes;             // BSON
  bool capped = false;                    // natural order is kept
  Bytes uuid;                             // 16 bytes; empty when the source names none
  std::uint64_t estimated_documents = 0;  // 0 = unknown; never decides whether something is read
  std::uint64_t estimated_bytes = 0;
};

struct SourceCatalog {
  std::string mongodb_version;
  std::string replica_set_name;
  bool has_oplog = false;
  // Why what is read is not one moment, when the source knows better than the engine; or empty.
  std::string inconsistent_reason;
  std::uint32_t position_seconds = 0;
  std::uint32_t position_increment = 0;
  std::vector<std::string> databases;  // user databases, also empty ones
  std::vector<SourceNamespace> namespaces;
  repo::Accounts accounts;
};

// Where a snapshot's documents come from: a cluster over the wire (mongo_source.h), or memory in
// tests and benchmarks. Synchronized: Scan is called for several namespaces at once.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // User databases only: never admin, config, local or Tidemark's own marker database.
  virtual SourceCatalog ReadCatalog() = 0;
  // Calls `visit` with each document, in the server's natural order. The view is valid during the
  // call only. Throws kCancelled when stopped; kUnavailable, kTimeout when the source is lost.
  virtual void Scan(const SourceNamespace& ns,
                    const std::stop_token& stop,
                    const std::function<void(ByteView document)>& visit) = 0;

  // Whether ScanById may be used, and costs no more than Scan. Not where there is no index to walk.
  virtual bool ReadsById(const SourceNamespace&) { return false; }

  // As Scan, in ascending order of _id: the documents whose _id is above that of `after`
  // ({"": <_id>}; empty: all). A document that was there all the time between two scans, of which
  // the second goes on behind the last _id of the first, is in exactly one of them. REQUIRES:
  // ReadsById.
  virtual void ScanById(const SourceNamespace& ns,
                        ByteView /*after*/,
                        const std::stop_token& /*stop*/,
                        const std::function<void(ByteView document)>& /*visit*/) {
    TIDEMARK_CHECK(ReadsById(ns));
  }
};

}  // namespace tidemark::engine
