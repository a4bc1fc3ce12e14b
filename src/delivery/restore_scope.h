#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "bson/document.h"

namespace tidemark::delivery {

// Which documents of one collection a restore takes, by their _id, in MongoDB's cross-type order
// (bson::CompareValues; no type bracketing: {"$gte": 5} also takes every string). Immutable.
class IdFilter {
 public:
  // `ids` is one value, {"$in": [..]}, or any of $eq, $gt, $gte, $lt, $lte together.
  // kInvalidArgument says which operator is wrong.
  explicit IdFilter(const bson::Element& ids);

  bool Matches(const bson::Element& id) const;
  // Whether any _id from `first` on could match, or any between the two, both included. May say yes
  // without reason, never no.
  bool MayMatchFrom(const bson::Element& first) const;
  bool MayMatchBetween(const bson::Element& first, const bson::Element& last) const;

  // As it was given: Extended JSON.
  const std::string& text() const { return text_; }

 private:
  enum class Operator { kEq, kGt, kGte, kLt, kLte };

  struct Bound {
    Operator op;
    Bytes value;  // document {"": value}
  };

  void AddOperator(const bson::Element& condition);
  void AddList(const bson::Element& list);
  static bool Holds(const Bound& bound, const bson::Element& id);
  // The first member of the list that is not before `id`.
  std::vector<Bytes>::const_iterator FirstFrom(const bson::Element& id) const;

  std::vector<Bound> bounds_;                // all must hold
  std::optional<std::vector<Bytes>> among_;  // sorted; documents {"": value}
  std::string text_;
};

// What happens to a collection that is there already.
enum class RestoreMode {
  kReplace,  // dropped and written anew
  kDelta,    // equal documents are left alone, the others changed
  kCreate,   // the restore fails: only what it has created itself is ever written to
};

// What a restore takes from its snapshot and under which names it writes it.
struct RestoreScope {
  struct Rule {
    std::string database;
    std::string collection;     // empty: all of the database
    std::string to_database;    // empty: the same
    std::string to_collection;  // empty: the same
  };

  struct Filter {
    std::string database;  // as the snapshot names it
    std::string collection;
    IdFilter ids;
  };

  // Empty: everything, and the target's other data go. A rule for a collection overrides the one
  // for its database.
  std::vector<Rule> include;
  std::optional<Filter> filter;  // the selected documents are written, everything else stays
  RestoreMode mode = RestoreMode::kReplace;

  // The target becomes the snapshot: what else it holds is dropped.
  bool IsWhole() const { return include.empty() && !filter; }
};

// Reads {"include": [{"database", "collection", "toDatabase", "toCollection"}], "filter":
// {"database", "collection", "ids"}, "delta"}, Extended JSON, every member optional. Empty text is
// the whole snapshot. kInvalidArgument names the member.
RestoreScope ParseScope(std::string_view json);

}  // namespace tidemark::delivery
