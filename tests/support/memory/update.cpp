#include "tests/support/memory/update.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/values.h"

namespace tidemark::memory {
namespace {

// What becomes of one field: adds it, under its name, or does not.
using Change = std::function<void(bson::Builder&, std::string_view, const bson::Element* old)>;

Bytes ChangedAt(const bson::Document& document, std::string_view path, const Change& change);

void ChangeBelow(bson::Builder& out,
                 std::string_view name,
                 const bson::Element* old,
                 std::string_view rest,
                 const Change& change) {
  const auto inner = old == nullptr ? std::optional(bson::Document()) : old->AsDocument();
  if (!inner) {
    throw CommandError(
        28,
        "PathNotViable",
        "Cannot create field '" + std::string(rest) + "' in element " + std::string(name));
  }
  const Bytes changed = ChangedAt(*inner, rest, change);
  const bson::Document changed_view(changed);
  if (old != nullptr && old->type == bson::Type::kArray) {
    out.AppendArray(name, changed_view);
  } else if (old != nullptr || !changed_view.empty()) {
    out.Append(name, changed_view);
  }
}

Bytes ChangedAt(const bson::Document& document, std::string_view path, const Change& change) {
  const std::size_t dot = path.find('.');
  const std::string_view name = path.substr(0, dot);
  const auto apply = [&](bson::Builder& out, const bson::Element* old) {
    if (dot == std::string_view::npos) {
      change(out, name, old);
    } else {
      ChangeBelow(out, name, old, path.substr(dot + 1), change);
    }
  };
  bson::Builder out;
  bool seen = false;
  for (const bson::Element& element : document) {
    if (element.name == name && !seen) {
      seen = true;
      apply(out, &element);
    } else {
      out.AppendElement(element.name, element);
    }
  }
  if (!seen) {
    apply(out, nullptr);
  }
  return out.Finish();
}

void AppendSum(bson::Builder& out,
               std::string_view name,
               const bson::Element* old,
               const bson::Element& increment) {
  if (old == nullptr) {
    out.AppendElement(name, increment);
    return;
  }
  const auto before = old->AsInteger();
  const auto by = increment.AsInteger();
  if (!before || !by) {
    throw CommandError(14, "TypeMismatch", "Cannot apply $inc to a value of non-integral type");
  }
  if (old->type == bson::Type::kInt32 && increment.type == bson::Type::kInt32) {
    out.Append(name, static_cast<std::int32_t>(*before + *by));
  } else {
    out.Append(name, *before + *by);
  }
}

Change ChangeOf(std::string_view op, const bson::Element& operand) {
  if (op == "$unset") {
    return [](bson::Builder&, std::string_view, const bson::Element*) {};
  }
  if (op == "$inc") {
    return [&operand](bson::Builder& out, std::string_view name, const bson::Element* old) {
      AppendSum(out, name, old, operand);
    };
  }
  return [&operand](bson::Builder& out, std::string_view name, const bson::Element*) {
    out.AppendElement(name, operand);
  };
}

constexpr std::array<std::string_view, 4> kUpdateOperators{
    "$set", "$unset", "$inc", "$setOnInsert"};

void CheckIdKept(const bson::Document& before, const bson::Document& after) {
  const auto old_id = before.Find("_id");
  const auto new_id = after.Find("_id");
  if (old_id && (!new_id || !SameValue(*old_id, *new_id))) {
    throw CommandError(66,
                       "ImmutableField",
                       "Performing an update on the path '_id' would modify the immutable field "
                       "'_id'");
  }
}

// ---- diff

bool BothDocuments(const bson::Element& a, const bson::Element& b) {
  return a.type == bson::Type::kDocument && b.type == bson::Type::kDocument;
}

Bytes DiffOf(const bson::Document& before, const bson::Document& after);

void AppendIfAny(bson::Builder& diff, std::string_view name, bson::Builder& part) {
  const Bytes bytes = part.Finish();
  if (!bson::Document(bytes).empty()) {
    diff.Append(name, bson::Document(bytes));
  }
}

Bytes Deleted(const bson::Document& before, const bson::Document& after) {
  bson::Builder deleted;
  for (const bson::Element& old : before) {
    if (!after.Find(old.name)) {
      deleted.Append(old.name, false);
    }
  }
  return deleted.Finish();
}

Bytes DiffOf(const bson::Document& before, const bson::Document& after) {
  bson::Builder updated;
  bson::Builder inserted;
  bson::Builder nested;
  for (const bson::Element& now : after) {
    const auto old = before.Find(now.name);
    if (!old) {
      inserted.AppendElement(now.name, now);
    } else if (SameValue(*old, now)) {
      continue;
    } else if (BothDocuments(*old, now)) {
      const Bytes inner = DiffOf(DocumentAt(before, now.name), DocumentAt(after, now.name));
      nested.Append("s" + std::string(now.name), bson::Document(inner));
    } else {
      updated.AppendElement(now.name, now);
    }
  }
  bson::Builder diff;
  const Bytes deleted = Deleted(before, after);
  if (!bson::Document(deleted).empty()) {
    diff.Append("d", bson::Document(deleted));
  }
  AppendIfAny(diff, "u", updated);
  AppendIfAny(diff, "i", inserted);
  const Bytes below = nested.Finish();
  for (const bson::Element& part : bson::Document(below)) {
    diff.AppendElement(part.name, part);
  }
  return diff.Finish();
}

}  // namespace

UpdateForm FormOf(const bson::Element& update) {
  const auto document = update.type == bson::Type::kDocument ? update.AsDocument() : std::nullopt;
  if (!document) {
    throw CommandError(9, "FailedToParse", "this server takes no update pipelines");
  }
  if (document->empty() || !document->begin()->name.starts_with('$')) {
    return UpdateForm::kReplacement;
  }
  for (const bson::Element& element : *document) {
    if (std::ranges::find(kUpdateOperators, element.name) == kUpdateOperators.end()) {
      throw CommandError(9, "FailedToParse", "Unknown modifier: " + std::string(element.name));
    }
  }
  return UpdateForm::kOperators;
}

Bytes Apply(const bson::Document& document, const bson::Document& update, Occasion occasion) {
  Bytes changed = CopyOf(document.bytes());
  for (const bson::Element& element : update) {
    if (element.name == "$setOnInsert" && occasion == Occasion::kUpdate) {
      continue;
    }
    const auto fields = element.AsDocument();
    for (const bson::Element& operand : fields.value_or(bson::Document())) {
      changed = ChangedAt(bson::Document(changed), operand.name, ChangeOf(element.name, operand));
    }
  }
  CheckIdKept(document, bson::Document(changed));
  return changed;
}

Bytes Replaced(const bson::Document& document, const bson::Document& update) {
  bson::Builder replaced;
  const auto id = document.Find("_id");
  const auto wanted = update.Find("_id");
  if (id) {
    replaced.AppendElement("_id", *id);
  }
  if (id && wanted && !SameValue(*id, *wanted)) {
    throw CommandError(66,
                       "ImmutableField",
                       "the (immutable) field '_id' was found to have been "
                       "altered");
  }
  for (const bson::Element& element : update) {
    if (!id || element.name != "_id") {
      replaced.AppendElement(element.name, element);
    }
  }
  return replaced.Finish();
}

Bytes DiffEntry(const bson::Document& before, const bson::Document& after) {
  const Bytes diff = DiffOf(before, after);
  return bson::Builder()
      .Append("$v", std::int32_t{2})
      .Append("diff", bson::Document(diff))
      .Finish();
}

}  // namespace tidemark::memory
