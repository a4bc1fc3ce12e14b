#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "mongo/cluster.h"
#include "repo/repair.h"

namespace tidemark::engine {

// Where a repair asks for the documents that a damaged chunk held. Confined. Throws kCancelled;
// kUnavailable, kTimeout, kNotFound and the like when the source cannot be asked.
class DocumentSource {
 public:
  using Visitor = std::function<void(ByteView document)>;

  virtual ~DocumentSource() = default;
  // The documents of that namespace with one of these _ids (each a document {"": _id}), in any
  // order.
  virtual void Find(const repo::RunUse& use,
                    const std::vector<Bytes>& ids,
                    const Visitor& visit) = 0;
  // The first `count` documents from that _id on, in order, of those whose _ids are of its type.
  virtual void FindFrom(const repo::RunUse& use,
                        const Bytes& first_id,
                        std::uint64_t count,
                        const std::stop_token& stop,
                        const Visitor& visit) = 0;
};

// Over the MongoDB wire protocol. `connection` must outlive the source.
std::unique_ptr<DocumentSource> MakeMongoDocuments(mongo::Connection& connection);

}  // namespace tidemark::engine
