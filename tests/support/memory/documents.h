#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "bson/document.h"

namespace tidemark::memory {

// A BSON value inside stored bytes. Borrows.
struct ValueRef {
  bson::Type type = bson::Type::kNull;
  const std::uint8_t* data = nullptr;
  std::uint32_t size = 0;

  static ValueRef Of(const bson::Element& element) {
    return {element.type, element.value.data(), static_cast<std::uint32_t>(element.value.size())};
  }

  bson::Element AsElement() const {
    return {.type = type, .name = "_id", .value = ByteView(data, size)};
  }
};

struct ValueLess {
  bool operator()(const ValueRef& a, const ValueRef& b) const {
    return bson::CompareValues(a.AsElement(), b.AsElement()) < 0;
  }
};

// Documents in natural order: where they were inserted, that is where they stay. Their bytes lie in
// segments, so that a whole message is taken with one copy. The order by _id is made when it is
// first asked for, and kept from then on. Confined: the store's lock guards it.
class Documents {
 public:
  using Position = std::uint64_t;
  using IdOrder = std::map<ValueRef, Position, ValueLess>;

  Documents() = default;
  Documents(const Documents&) = delete;
  Documents& operator=(const Documents&) = delete;

  // Stored bytes and the segment that they lie in.
  struct Kept {
    ByteView bytes;
    std::uint32_t segment = 0;
  };

  // Keeps a segment while its documents come and go.
  class Hold {
   public:
    Hold(Documents& documents, std::uint32_t segment) : documents_(documents), segment_(segment) {
      ++documents_.segments_[segment_].documents;
    }

    ~Hold() { documents_.Release(segment_); }

    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    Documents& documents_;
    const std::uint32_t segment_;
  };

  // Copies the bytes; they live until the last document in their segment is gone.
  Kept Keep(ByteView bytes);
  Position Append(const Kept& document);
  void Replace(Position position, ByteView document);  // the same _id; copies
  void Erase(Position position);

  Position begin() const { return first_; }

  Position end() const { return first_ + slots_.size(); }

  // Empty when that document is gone.
  ByteView At(Position position) const;

  std::uint64_t count() const { return count_; }

  std::uint64_t bytes() const { return bytes_; }

  std::optional<Position> FindId(const bson::Element& id);
  const IdOrder& ById();

  // While this stays the same, iterators into ById() stay good.
  std::uint64_t erasures() const { return erasures_; }

 private:
  struct Slot {
    const std::uint8_t* data = nullptr;
    std::uint32_t size = 0;
    std::uint32_t segment = 0;
  };

  struct Segment {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t capacity = 0;
    std::size_t used = 0;
    std::uint64_t documents = 0;
  };

  Slot& SlotAt(Position position) { return slots_[position - first_]; }

  void IndexUpToEnd();
  void Unindex(const Slot& slot);
  void Release(std::uint32_t segment);

  std::deque<Slot> slots_;
  Position first_ = 0;
  std::vector<Segment> segments_;
  std::uint64_t count_ = 0;
  std::uint64_t bytes_ = 0;
  IdOrder by_id_;
  std::uint64_t erasures_ = 0;
  bool indexed_ = false;     // by_id_ was asked for
  Position indexed_to_ = 0;  // documents from here on are not in by_id_ yet
};

}  // namespace tidemark::memory
