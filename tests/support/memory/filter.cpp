#include "tests/support/memory/filter.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/values.h"

namespace tidemark::memory {
namespace {

enum class Operator { kEq, kNe, kGt, kGte, kLt, kLte, kIn, kNin, kExists, kType };

struct OperatorName {
  std::string_view name;
  Operator op;
};

constexpr std::array kOperators{
    OperatorName{"$eq", Operator::kEq},
    OperatorName{"$ne", Operator::kNe},
    OperatorName{"$gt", Operator::kGt},
    OperatorName{"$gte", Operator::kGte},
    OperatorName{"$lt", Operator::kLt},
    OperatorName{"$lte", Operator::kLte},
    OperatorName{"$in", Operator::kIn},
    OperatorName{"$nin", Operator::kNin},
    OperatorName{"$exists", Operator::kExists},
    OperatorName{"$type", Operator::kType},
};

struct Test {
  std::string path;
  Operator op = Operator::kEq;
  Bytes operand;  // {"": value}
  std::string type_name;

  bson::Element Value() const { return *bson::Document(operand).begin(); }
};

bool IsNumber(bson::Type type) {
  return type == bson::Type::kInt32 || type == bson::Type::kInt64 || type == bson::Type::kDouble ||
         type == bson::Type::kDecimal128;
}

bool IsText(bson::Type type) {
  return type == bson::Type::kString || type == bson::Type::kSymbol;
}

// MongoDB compares by order only what is of one kind.
bool SameBracket(const bson::Element& a, const bson::Element& b) {
  return a.type == b.type || (IsNumber(a.type) && IsNumber(b.type)) ||
         (IsText(a.type) && IsText(b.type)) || b.type == bson::Type::kMinKey ||
         b.type == bson::Type::kMaxKey;
}

bool Orders(Operator op, const bson::Element& value, const bson::Element& operand) {
  if (!SameBracket(value, operand)) {
    return false;
  }
  const std::weak_ordering order = bson::CompareValues(value, operand);
  switch (op) {
    case Operator::kGt:
      return order > 0;
    case Operator::kGte:
      return order >= 0;
    case Operator::kLt:
      return order < 0;
    case Operator::kLte:
      return order <= 0;
    default:
      return order == 0;
  }
}

bool IsAmong(const bson::Element& value, const bson::Element& list) {
  const auto values = list.AsDocument();
  return values && AnyElement(*values, [&](const bson::Element& each) {
           return bson::CompareValues(value, each) == 0;
         });
}

bool HasType(const bson::Element& value, const Test& test) {
  struct Alias {
    std::string_view name;
    int number;
  };

  constexpr std::array kAliases{Alias{"double", 1},
                                Alias{"string", 2},
                                Alias{"object", 3},
                                Alias{"array", 4},
                                Alias{"binData", 5},
                                Alias{"objectId", 7},
                                Alias{"bool", 8},
                                Alias{"date", 9},
                                Alias{"null", 10},
                                Alias{"int", 16},
                                Alias{"timestamp", 17},
                                Alias{"long", 18},
                                Alias{"decimal", 19}};
  if (test.type_name == "number") {
    return IsNumber(value.type);
  }
  const auto alias = std::ranges::find(kAliases, test.type_name, &Alias::name);
  const std::int64_t number =
      alias != kAliases.end() ? alias->number : test.Value().AsInteger().value_or(0);
  return static_cast<std::int64_t>(value.type) == number;
}

bool TestsPositively(const Test& test, const bson::Element& value) {
  switch (test.op) {
    case Operator::kIn:
    case Operator::kNin:
      return IsAmong(value, test.Value());
    case Operator::kExists:
      return true;
    case Operator::kType:
      return HasType(value, test);
    case Operator::kEq:
    case Operator::kNe:
      return bson::CompareValues(value, test.Value()) == 0;
    default:
      return Orders(test.op, value, test.Value());
  }
}

using Visit = std::function<bool(const bson::Element&)>;

// Whether `visit` accepts a value at the path; arrays on the way and at its end are looked into.
bool AnyAt(const bson::Document& document, std::string_view path, const Visit& visit);

bool AnyInValue(const bson::Element& value, std::string_view rest, const Visit& visit) {
  if (rest.empty() && visit(value)) {
    return true;
  }
  const auto inner = value.AsDocument();
  if (!inner) {
    return false;
  }
  if (!rest.empty() && AnyAt(*inner, rest, visit)) {
    return true;
  }
  return value.type == bson::Type::kArray && AnyElement(*inner, [&](const bson::Element& each) {
           const auto nested = each.AsDocument();
           return rest.empty() ? visit(each) : nested && AnyAt(*nested, rest, visit);
         });
}

bool AnyAt(const bson::Document& document, std::string_view path, const Visit& visit) {
  const std::size_t dot = path.find('.');
  const auto value = document.Find(path.substr(0, dot));
  const std::string_view rest =
      dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  return value && AnyInValue(*value, rest, visit);
}

bool AcceptsMissing(const Test& test) {
  const bson::Element null;
  return test.op == Operator::kIn || test.op == Operator::kNin
             ? IsAmong(null, test.Value())
             : (test.op == Operator::kEq || test.op == Operator::kNe) &&
                   test.Value().type == bson::Type::kNull;
}

bool Holds(const Test& test, const bson::Document& document) {
  const bool there = AnyAt(document, test.path, [](const bson::Element&) { return true; });
  const bool found =
      there ? AnyAt(document,
                    test.path,
                    [&](const bson::Element& value) { return TestsPositively(test, value); })
            : AcceptsMissing(test);
  switch (test.op) {
    case Operator::kNe:
    case Operator::kNin:
      return !found;
    case Operator::kExists:
      return there ==
             (test.Value().AsBool().value_or(false) || test.Value().AsInteger().value_or(0) != 0);
    default:
      return found;
  }
}

Test MakeTest(std::string_view path, Operator op, const bson::Element& operand) {
  Test test;
  test.path = path;
  test.op = op;
  test.operand = bson::Builder().AppendElement("", operand).Finish();
  test.type_name = operand.AsString().value_or("");
  return test;
}

bool HasOperators(const bson::Element& value) {
  const auto document = value.type == bson::Type::kDocument ? value.AsDocument() : std::nullopt;
  return document && !document->empty() && document->begin()->name.starts_with('$');
}

}  // namespace

struct Filter::Node {
  std::vector<Test> all;

  struct Group {
    std::string_view name;
    std::vector<Node> alternatives;
  };

  std::vector<Group> groups;

  explicit Node(const bson::Document& filter) {
    for (const bson::Element& element : filter) {
      if (element.name.starts_with('$')) {
        AddGroup(element);
      } else if (HasOperators(element)) {
        AddOperators(element);
      } else {
        all.push_back(MakeTest(element.name, Operator::kEq, element));
      }
    }
  }

  void AddOperators(const bson::Element& element) {
    const auto operators = element.AsDocument();
    for (const bson::Element& operand : operators.value_or(bson::Document())) {
      const auto known = std::ranges::find(kOperators, operand.name, &OperatorName::name);
      if (known == kOperators.end()) {
        ThrowBadValue("unknown operator: " + std::string(operand.name));
      }
      all.push_back(MakeTest(element.name, known->op, operand));
    }
  }

  void AddGroup(const bson::Element& element) {
    constexpr std::array<std::string_view, 3> kNames{"$and", "$or", "$nor"};
    if (element.name == "$comment") {
      return;
    }
    const auto name = std::ranges::find(kNames, element.name);
    const auto branches = element.AsDocument();
    if (name == kNames.end() || !branches) {
      ThrowBadValue("unknown top level operator: " + std::string(element.name));
    }
    Group group{.name = *name, .alternatives = {}};
    for (const bson::Element& branch : *branches) {
      group.alternatives.emplace_back(branch.AsDocument().value_or(bson::Document()));
    }
    groups.push_back(std::move(group));
  }

  static bool GroupHolds(const Group& group, const bson::Document& document) {
    const auto matches = [&](const Node& node) { return node.Matches(document); };
    if (group.name == "$and") {
      return std::ranges::all_of(group.alternatives, matches);
    }
    return std::ranges::any_of(group.alternatives, matches) == (group.name == "$or");
  }

  bool Matches(const bson::Document& document) const {
    return std::ranges::all_of(all, [&](const Test& test) { return Holds(test, document); }) &&
           std::ranges::all_of(groups,
                               [&](const Group& group) { return GroupHolds(group, document); });
  }
};

Filter::Filter() = default;
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

Filter::Filter(const bson::Document& filter)
    : root_(filter.empty() ? nullptr : std::make_unique<Node>(filter)) {}

bool Filter::MatchesAll() const {
  return root_ == nullptr;
}

bool Filter::Matches(const bson::Document& document) const {
  return root_ == nullptr || root_->Matches(document);
}

}  // namespace tidemark::memory
