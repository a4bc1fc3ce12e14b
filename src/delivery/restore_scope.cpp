#include "delivery/restore_scope.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "bson/builder.h"

namespace tidemark::delivery {
namespace {

// Bounds a request's memory and the time of its checks.
constexpr std::size_t kMostRules = 1000;

[[noreturn]] void Refuse(const std::string& why) {
  throw Error(ErrorCode::kInvalidArgument, why);
}

Bytes Keep(const bson::Element& value) {
  return bson::Builder().AppendElement("", value).Finish();
}

// REQUIRES: `kept` comes from Keep.
bson::Element ValueOf(const Bytes& kept) {
  return *bson::Document(kept).begin();
}

bool IsOperatorName(std::string_view name) {
  return name.starts_with('$');
}

// {"$gte": 1} is a condition; {"a": 1} is an _id that is a document.
std::optional<bson::Document> AsConditions(const bson::Element& ids) {
  if (ids.type != bson::Type::kDocument) {
    return std::nullopt;
  }
  const auto document = ids.AsDocument();
  const bool conditions = document && !document->empty() && IsOperatorName(document->begin()->name);
  return conditions ? document : std::nullopt;
}

bool Before(const Bytes& a, const Bytes& b) {
  return bson::CompareValues(ValueOf(a), ValueOf(b)) < 0;
}

void CheckMembers(const bson::Document& object,
                  std::string_view what,
                  std::span<const std::string_view> known) {
  for (const bson::Element& member : object) {
    if (std::ranges::find(known, member.name) == known.end()) {
      Refuse(std::string(what) + ": unknown member " + std::string(member.name));
    }
  }
}

// Empty when it is not there.
std::string TextOf(const bson::Document& object, std::string_view what, std::string_view name) {
  const auto member = object.Find(name);
  if (!member) {
    return {};
  }
  const auto text = member->AsString();
  if (!text || text->empty()) {
    Refuse(std::string(what) + ": " + std::string(name) + " must be a text that is not empty");
  }
  return std::string(*text);
}

std::string RequiredText(const bson::Document& object,
                         std::string_view what,
                         std::string_view name) {
  std::string text = TextOf(object, what, name);
  if (text.empty()) {
    Refuse(std::string(what) + ": " + std::string(name) + " is missing");
  }
  return text;
}

bson::Document ObjectOf(const bson::Element& element, std::string_view what) {
  const auto object = element.type == bson::Type::kDocument ? element.AsDocument() : std::nullopt;
  if (!object) {
    Refuse(std::string(what) + " must be an object");
  }
  return *object;
}

RestoreScope::Rule ReadRule(const bson::Element& element) {
  constexpr std::string_view kWhat = "include";
  constexpr std::array<std::string_view, 4> kKnown{
      "database", "collection", "toDatabase", "toCollection"};
  const bson::Document object = ObjectOf(element, "include: every element");
  CheckMembers(object, kWhat, kKnown);
  RestoreScope::Rule rule{.database = RequiredText(object, kWhat, "database"),
                          .collection = TextOf(object, kWhat, "collection"),
                          .to_database = TextOf(object, kWhat, "toDatabase"),
                          .to_collection = TextOf(object, kWhat, "toCollection")};
  if (rule.collection.empty() && !rule.to_collection.empty()) {
    Refuse("include: database " + rule.database + ": toCollection needs a collection");
  }
  return rule;
}

std::vector<RestoreScope::Rule> ReadRules(const bson::Element& element) {
  const auto array = element.type == bson::Type::kArray ? element.AsDocument() : std::nullopt;
  if (!array || array->empty()) {
    Refuse("include must be an array that is not empty");
  }
  std::vector<RestoreScope::Rule> rules;
  for (const bson::Element& rule : *array) {
    if (rules.size() == kMostRules) {
      Refuse("include: more than " + std::to_string(kMostRules) + " elements");
    }
    rules.push_back(ReadRule(rule));
  }
  return rules;
}

RestoreScope::Filter ReadFilter(const bson::Element& element) {
  constexpr std::string_view kWhat = "filter";
  constexpr std::array<std::string_view, 3> kKnown{"database", "collection", "ids"};
  const bson::Document object = ObjectOf(element, kWhat);
  CheckMembers(object, kWhat, kKnown);
  const auto ids = object.Find("ids");
  if (!ids) {
    Refuse("filter: ids is missing");
  }
  return {.database = RequiredText(object, kWhat, "database"),
          .collection = RequiredText(object, kWhat, "collection"),
          .ids = IdFilter(*ids)};
}

RestoreMode ReadMode(const bson::Element& element) {
  const auto delta = element.AsBool();
  if (!delta) {
    Refuse("delta must be true or false");
  }
  return *delta ? RestoreMode::kDelta : RestoreMode::kReplace;
}

}  // namespace

IdFilter::IdFilter(const bson::Element& ids)
    : text_(bson::ToJson(
          bson::Document(ByteView(bson::Builder().AppendElement("_id", ids).Finish())))) {
  if (ids.type == bson::Type::kRegex || ids.type == bson::Type::kArray) {
    Refuse("filter: ids: an _id is neither an array nor a regular expression; several go into $in");
  }
  const auto conditions = AsConditions(ids);
  if (!conditions) {
    bounds_.push_back({Operator::kEq, Keep(ids)});
    return;
  }
  for (const bson::Element& condition : *conditions) {
    AddOperator(condition);
  }
}

void IdFilter::AddOperator(const bson::Element& condition) {
  constexpr std::array<std::pair<std::string_view, Operator>, 5> kOperators{
      {{"$eq", Operator::kEq},
       {"$gt", Operator::kGt},
       {"$gte", Operator::kGte},
       {"$lt", Operator::kLt},
       {"$lte", Operator::kLte}}};
  if (condition.name == "$in") {
    AddList(condition);
    return;
  }
  const auto* found =
      std::ranges::find(kOperators, condition.name, &std::pair<std::string_view, Operator>::first);
  if (found == kOperators.end()) {
    Refuse("filter: ids: unknown operator " + std::string(condition.name));
  }
  bounds_.push_back({found->second, Keep(condition)});
}

void IdFilter::AddList(const bson::Element& list) {
  const auto values = list.type == bson::Type::kArray ? list.AsDocument() : std::nullopt;
  if (!values || among_) {
    Refuse("filter: ids: $in needs one array");
  }
  std::vector<Bytes> among;
  for (const bson::Element& value : *values) {
    among.push_back(Keep(value));
  }
  std::ranges::sort(among, Before);
  among_ = std::move(among);
}

bool IdFilter::Holds(const Bound& bound, const bson::Element& id) {
  const std::weak_ordering order = bson::CompareValues(id, ValueOf(bound.value));
  switch (bound.op) {
    case Operator::kEq:
      return order == 0;
    case Operator::kGt:
      return order > 0;
    case Operator::kGte:
      return order >= 0;
    case Operator::kLt:
      return order < 0;
    case Operator::kLte:
      return order <= 0;
  }
  return false;
}

bool IdFilter::Matches(const bson::Element& id) const {
  if (!std::ranges::all_of(bounds_, [&id](const Bound& bound) { return Holds(bound, id); })) {
    return false;
  }
  return !among_ || std::ranges::binary_search(*among_, Keep(id), Before);
}

std::vector<Bytes>::const_iterator IdFilter::FirstFrom(const bson::Element& id) const {
  TIDEMARK_CHECK(among_.has_value());
  return std::ranges::lower_bound(*among_, Keep(id), Before);
}

bool IdFilter::MayMatchFrom(const bson::Element& first) const {
  const auto excluded = [&first](const Bound& bound) {
    const bool has_end =
        bound.op == Operator::kEq || bound.op == Operator::kLt || bound.op == Operator::kLte;
    return has_end && bson::CompareValues(first, ValueOf(bound.value)) > 0;
  };
  return std::ranges::none_of(bounds_, excluded) && (!among_ || FirstFrom(first) != among_->end());
}

bool IdFilter::MayMatchBetween(const bson::Element& first, const bson::Element& last) const {
  const auto excluded = [&last](const Bound& bound) {
    const bool has_begin =
        bound.op == Operator::kEq || bound.op == Operator::kGt || bound.op == Operator::kGte;
    return has_begin && bson::CompareValues(last, ValueOf(bound.value)) < 0;
  };
  if (!MayMatchFrom(first) || std::ranges::any_of(bounds_, excluded)) {
    return false;
  }
  return !among_ || bson::CompareValues(ValueOf(*FirstFrom(first)), last) <= 0;
}

RestoreScope ParseScope(std::string_view json) {
  RestoreScope scope;
  if (json.empty()) {
    return scope;
  }
  constexpr std::array<std::string_view, 3> kKnown{"include", "filter", "delta"};
  const Bytes bytes = bson::FromJson(json);
  const bson::Document object(bytes);
  CheckMembers(object, "a restore's scope", kKnown);
  if (const auto include = object.Find("include")) {
    scope.include = ReadRules(*include);
  }
  if (const auto filter = object.Find("filter")) {
    scope.filter = ReadFilter(*filter);
  }
  if (const auto delta = object.Find("delta")) {
    scope.mode = ReadMode(*delta);
  }
  return scope;
}

}  // namespace tidemark::delivery
