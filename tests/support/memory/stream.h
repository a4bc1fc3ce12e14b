#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/memory/filter.h"
#include "tests/support/memory/store.h"

namespace tidemark::memory {

// Documents, one after the other: what a cursor reads. Confined under the store's lock, which may
// be given up between two calls. Throws CommandError when what it reads is gone.
class Stream {
 public:
  virtual ~Stream() = default;
  // Valid until the next call or until the lock is given up. nullopt: nothing for now.
  virtual std::optional<ByteView> Next() = 0;
};

using StreamPtr = std::unique_ptr<Stream>;

enum class Direction { kForward, kBackward };

StreamPtr MakeNaturalStream(NamespacePtr ns, Direction direction);

// One end of a range of _id values.
struct Bound {
  Bytes value;  // {"": value}
  bool inclusive = true;
};

struct IdRange {
  std::optional<Bound> low;
  std::optional<Bound> high;
  Direction direction = Direction::kForward;
};

StreamPtr MakeIdStream(NamespacePtr ns, IdRange range);
StreamPtr MakePositionStream(NamespacePtr ns, std::vector<Documents::Position> positions);
StreamPtr MakeListStream(std::vector<Bytes> documents);
StreamPtr MakeFilterStream(StreamPtr from, Filter filter);
StreamPtr MakeSkipStream(StreamPtr from, std::int64_t skip);
StreamPtr MakeLimitStream(StreamPtr from, std::int64_t limit);
// Top-level fields in or out, as find's projection and $project have it.
StreamPtr MakeProjectStream(StreamPtr from, const bson::Document& projection);
// All of it in the order of `sort` (top-level fields, 1 or -1). Reads `from` to its end.
StreamPtr MakeSortStream(Stream& from, const bson::Document& sort);

// The stream of a find (or count, delete, update) command's filter, sort, hint, min, max, skip,
// limit and projection, under the names given.
struct FindFields {
  bson::Document filter = {};
  bson::Document sort = {};
  std::optional<bson::Element> hint = {};
  bson::Document min = {};
  bson::Document max = {};
};

StreamPtr OpenFind(const NamespacePtr& ns, const FindFields& fields);

// An aggregation: $match $sort $skip $limit $project $count $group (sums of 1) $collStats, on a
// collection or a view. Throws CommandError 40324 for other stages.
StreamPtr OpenPipeline(const Store& store,
                       std::string_view database,
                       std::string_view collection,
                       const bson::Document& pipeline);

// collStats' figures of a collection.
void AppendStats(bson::Builder& out, const Namespace& ns, std::int64_t scale);

}  // namespace tidemark::memory
