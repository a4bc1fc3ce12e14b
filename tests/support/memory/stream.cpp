#include "tests/support/memory/stream.h"

#include <algorithm>
#include <numeric>

#include "tests/support/memory/command_error.h"

namespace tidemark::memory {
namespace {

void CheckNotDropped(const Namespace& ns) {
  if (ns.dropped) {
    throw CommandError(175, "QueryPlanKilled", "collection dropped: " + ns.FullName());
  }
}

class NaturalForward final : public Stream {
 public:
  explicit NaturalForward(NamespacePtr ns) : ns_(std::move(ns)), next_(ns_->documents.begin()) {}

  std::optional<ByteView> Next() override {
    CheckNotDropped(*ns_);
    const Documents& documents = ns_->documents;
    if (next_ < documents.begin()) {
      if (ns_->capped && started_) {
        throw CommandError(136,
                           "CappedPositionLost",
                           "CollectionScan died due to position in capped collection being "
                           "deleted");
      }
      next_ = documents.begin();
    }
    while (next_ < documents.end()) {
      started_ = true;
      if (const ByteView document = documents.At(next_++); !document.empty()) {
        return document;
      }
    }
    return std::nullopt;
  }

 private:
  const NamespacePtr ns_;
  Documents::Position next_;
  bool started_ = false;
};

class NaturalBackward final : public Stream {
 public:
  explicit NaturalBackward(NamespacePtr ns) : ns_(std::move(ns)), end_(ns_->documents.end()) {}

  std::optional<ByteView> Next() override {
    CheckNotDropped(*ns_);
    while (end_ > ns_->documents.begin()) {
      if (const ByteView document = ns_->documents.At(--end_); !document.empty()) {
        return document;
      }
    }
    return std::nullopt;
  }

 private:
  const NamespacePtr ns_;
  Documents::Position end_;
};

ValueRef RefOf(const Bytes& value) {
  return ValueRef::Of(*bson::Document(value).begin());
}

class IdStream final : public Stream {
 public:
  IdStream(NamespacePtr ns, IdRange range) : ns_(std::move(ns)), range_(std::move(range)) {}

  std::optional<ByteView> Next() override {
    CheckNotDropped(*ns_);
    const Documents::IdOrder& order = ns_->documents.ById();
    if (!started_ || erasures_ != ns_->documents.erasures()) {
      Seek(order);
    }
    const bool forward = range_.direction == Direction::kForward;
    if (forward ? at_ == order.end() : at_ == order.begin()) {
      Seek(order);  // it may have grown at the end
      if (forward ? at_ == order.end() : at_ == order.begin()) {
        return std::nullopt;
      }
    }
    const auto found = forward ? at_++ : --at_;
    if (Beyond(found->first)) {
      at_ = forward ? order.end() : order.begin();
      return std::nullopt;
    }
    Remember(found->first);
    return ns_->documents.At(found->second);
  }

 private:
  void Seek(const Documents::IdOrder& order) {
    started_ = true;
    erasures_ = ns_->documents.erasures();
    const bool forward = range_.direction == Direction::kForward;
    if (!last_.empty()) {
      at_ = forward ? order.upper_bound(RefOf(last_)) : order.lower_bound(RefOf(last_));
      return;
    }
    const std::optional<Bound>& start = forward ? range_.low : range_.high;
    if (!start) {
      at_ = forward ? order.begin() : order.end();
    } else {
      // Forward, the first one in; backward, the one behind the last one in.
      at_ = forward == start->inclusive ? order.lower_bound(RefOf(start->value))
                                        : order.upper_bound(RefOf(start->value));
    }
  }

  bool Beyond(const ValueRef& id) const {
    const bool forward = range_.direction == Direction::kForward;
    const std::optional<Bound>& stop = forward ? range_.high : range_.low;
    if (!stop) {
      return false;
    }
    const std::weak_ordering order =
        bson::CompareValues(id.AsElement(), RefOf(stop->value).AsElement());
    const bool past = forward ? order > 0 : order < 0;
    return past || (order == 0 && !stop->inclusive);
  }

  void Remember(const ValueRef& id) {
    last_ = bson::Builder().AppendElement("", id.AsElement()).Finish();
  }

  const NamespacePtr ns_;
  const IdRange range_;
  bool started_ = false;
  std::uint64_t erasures_ = 0;
  Documents::IdOrder::const_iterator at_;
  Bytes last_;  // {"": _id} given last; empty before the first
};

class PositionStream final : public Stream {
 public:
  PositionStream(NamespacePtr ns, std::vector<Documents::Position> positions)
      : ns_(std::move(ns)), positions_(std::move(positions)) {}

  std::optional<ByteView> Next() override {
    CheckNotDropped(*ns_);
    while (next_ < positions_.size()) {
      if (const ByteView document = ns_->documents.At(positions_[next_++]); !document.empty()) {
        return document;
      }
    }
    return std::nullopt;
  }

 private:
  const NamespacePtr ns_;
  const std::vector<Documents::Position> positions_;
  std::size_t next_ = 0;
};

class ListStream final : public Stream {
 public:
  explicit ListStream(std::vector<Bytes> documents) : documents_(std::move(documents)) {}

  std::optional<ByteView> Next() override {
    return next_ < documents_.size() ? std::optional(ByteView(documents_[next_++])) : std::nullopt;
  }

 private:
  const std::vector<Bytes> documents_;
  std::size_t next_ = 0;
};

class FilterStream final : public Stream {
 public:
  FilterStream(StreamPtr from, Filter filter)
      : from_(std::move(from)), filter_(std::move(filter)) {}

  std::optional<ByteView> Next() override {
    while (const auto document = from_->Next()) {
      if (filter_.Matches(bson::Document(*document))) {
        return document;
      }
    }
    return std::nullopt;
  }

 private:
  const StreamPtr from_;
  const Filter filter_;
};

class SkipStream final : public Stream {
 public:
  SkipStream(StreamPtr from, std::int64_t skip) : from_(std::move(from)), skip_(skip) {}

  std::optional<ByteView> Next() override {
    while (skip_ > 0) {
      if (!from_->Next()) {
        return std::nullopt;
      }
      --skip_;
    }
    return from_->Next();
  }

 private:
  const StreamPtr from_;
  std::int64_t skip_;
};

class LimitStream final : public Stream {
 public:
  LimitStream(StreamPtr from, std::int64_t limit) : from_(std::move(from)), left_(limit) {}

  std::optional<ByteView> Next() override {
    if (left_ == 0) {
      return std::nullopt;
    }
    const auto document = from_->Next();
    left_ -= document ? 1 : 0;
    return document;
  }

 private:
  const StreamPtr from_;
  std::int64_t left_;
};

class ProjectStream final : public Stream {
 public:
  ProjectStream(StreamPtr from, const bson::Document& projection)
      : from_(std::move(from)), projection_(CopyOf(projection.bytes())) {
    keeps_ = AnyElement(projection, [&](const bson::Element& field) {
      return field.name != "_id" && IsSet(projection, field.name);
    });
    const bool only_id =
        bson::Document(projection_).begin()->name == "_id" && IsSet(projection, "_id") && !keeps_;
    keeps_ = keeps_ || only_id;
  }

  std::optional<ByteView> Next() override {
    const auto document = from_->Next();
    if (!document) {
      return std::nullopt;
    }
    bson::Builder projected;
    for (const bson::Element& element : bson::Document(*document)) {
      if (Keeps(element.name)) {
        projected.AppendElement(element.name, element);
      }
    }
    projected_ = projected.Finish();
    return projected_;
  }

 private:
  bool Keeps(std::string_view name) const {
    const bson::Document projection(projection_);
    if (projection.Find(name)) {
      return IsSet(projection, name);
    }
    return name == "_id" || !keeps_;
  }

  const StreamPtr from_;
  const Bytes projection_;
  bool keeps_ = false;  // names what stays, not what goes
  Bytes projected_;
};

std::weak_ordering CompareBy(const bson::Document& sort,
                             const bson::Document& a,
                             const bson::Document& b) {
  for (const bson::Element& field : sort) {
    const std::weak_ordering order = bson::CompareValues(
        a.Find(field.name).value_or(bson::Element()), b.Find(field.name).value_or(bson::Element()));
    if (order != 0) {
      return field.AsInteger().value_or(1) < 0 ? 0 <=> order : order;
    }
  }
  return std::weak_ordering::equivalent;
}

}  // namespace

StreamPtr MakeNaturalStream(NamespacePtr ns, Direction direction) {
  if (direction == Direction::kBackward) {
    return std::make_unique<NaturalBackward>(std::move(ns));
  }
  return std::make_unique<NaturalForward>(std::move(ns));
}

StreamPtr MakeIdStream(NamespacePtr ns, IdRange range) {
  return std::make_unique<IdStream>(std::move(ns), std::move(range));
}

StreamPtr MakePositionStream(NamespacePtr ns, std::vector<Documents::Position> positions) {
  return std::make_unique<PositionStream>(std::move(ns), std::move(positions));
}

StreamPtr MakeListStream(std::vector<Bytes> documents) {
  return std::make_unique<ListStream>(std::move(documents));
}

StreamPtr MakeFilterStream(StreamPtr from, Filter filter) {
  if (filter.MatchesAll()) {
    return from;
  }
  return std::make_unique<FilterStream>(std::move(from), std::move(filter));
}

StreamPtr MakeSkipStream(StreamPtr from, std::int64_t skip) {
  return skip <= 0 ? std::move(from) : std::make_unique<SkipStream>(std::move(from), skip);
}

StreamPtr MakeLimitStream(StreamPtr from, std::int64_t limit) {
  return limit <= 0 ? std::move(from) : std::make_unique<LimitStream>(std::move(from), limit);
}

StreamPtr MakeProjectStream(StreamPtr from, const bson::Document& projection) {
  if (projection.empty()) {
    return from;
  }
  return std::make_unique<ProjectStream>(std::move(from), projection);
}

StreamPtr MakeSortStream(Stream& from, const bson::Document& sort) {
  std::vector<Bytes> documents;
  while (const auto document = from.Next()) {
    documents.push_back(CopyOf(*document));
  }
  std::vector<std::size_t> order(documents.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const auto by_fields =
        CompareBy(sort, bson::Document(documents[a]), bson::Document(documents[b]));
    return by_fields == 0 ? a < b : by_fields < 0;
  });
  std::vector<Bytes> sorted;
  for (const std::size_t at : order) {
    sorted.push_back(std::move(documents[at]));
  }
  return MakeListStream(std::move(sorted));
}

}  // namespace tidemark::memory
