#include <algorithm>
#include <functional>
#include <string>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/stream.h"

namespace tidemark::memory {
namespace {

Bytes Alone(const bson::Element& value) {
  return bson::Builder().AppendElement("", value).Finish();
}

bool IsOnId(const bson::Document& key) {
  return !key.empty() && key.begin()->name == "_id";
}

bool HintsAtId(const std::optional<bson::Element>& hint) {
  return hint &&
         (hint->AsString() == "_id_" || IsOnId(hint->AsDocument().value_or(bson::Document())));
}

bool IsOperators(const bson::Element& value) {
  const auto document = value.type == bson::Type::kDocument ? value.AsDocument() : std::nullopt;
  return document && !document->empty() && document->begin()->name.starts_with('$');
}

// What a filter's _id condition says of the range to read. The filter itself is applied as well.
IdRange RangeOf(const bson::Element& condition) {
  IdRange range;
  if (!IsOperators(condition)) {
    range.low = range.high = Bound{.value = Alone(condition)};
    return range;
  }
  const auto operators = condition.AsDocument();
  for (const bson::Element& operand : operators.value_or(bson::Document())) {
    Bound bound{.value = Alone(operand), .inclusive = operand.name.ends_with('e')};
    if (operand.name.starts_with("$gt")) {
      range.low = std::move(bound);
    } else if (operand.name.starts_with("$lt")) {
      range.high = std::move(bound);
    } else if (operand.name == "$eq") {
      range.low = range.high = Bound{.value = Alone(operand)};
    }
  }
  return range;
}

std::vector<Documents::Position> Listed(const NamespacePtr& ns, const bson::Document& values) {
  std::vector<Documents::Position> positions;
  for (const bson::Element& value : values) {
    if (const auto position = ns->documents.FindId(value)) {
      positions.push_back(*position);
    }
  }
  std::ranges::sort(positions);
  positions.erase(std::ranges::unique(positions).begin(), positions.end());
  return positions;
}

StreamPtr OpenScan(const NamespacePtr& ns, const FindFields& fields) {
  const auto natural = fields.sort.Find("$natural");
  if (natural) {
    const bool backward = natural->AsInteger().value_or(1) < 0;
    return MakeNaturalStream(ns, backward ? Direction::kBackward : Direction::kForward);
  }
  const auto id = fields.filter.Find("_id");
  const bson::Document operators =
      id ? id->AsDocument().value_or(bson::Document()) : bson::Document();
  if (const auto in = id && IsOperators(*id) ? operators.Find("$in") : std::nullopt) {
    return MakePositionStream(ns, Listed(ns, in->AsDocument().value_or(bson::Document())));
  }
  if (!id && !IsOnId(fields.sort) && !HintsAtId(fields.hint) && fields.min.empty() &&
      fields.max.empty()) {
    return MakeNaturalStream(ns, Direction::kForward);
  }
  IdRange range = id ? RangeOf(*id) : IdRange();
  if (IsOnId(fields.min)) {
    range.low = Bound{.value = Alone(*fields.min.begin())};
  }
  if (IsOnId(fields.max)) {
    range.high = Bound{.value = Alone(*fields.max.begin()), .inclusive = false};
  }
  if (IsOnId(fields.sort) && fields.sort.begin()->AsInteger().value_or(1) < 0) {
    range.direction = Direction::kBackward;
  }
  return MakeIdStream(ns, std::move(range));
}

bool IsSortedByScan(const FindFields& fields) {
  const auto id = fields.filter.Find("_id");
  const bool listed = id && IsOperators(*id) && DocumentAt(fields.filter, "_id").Find("$in");
  return fields.sort.empty() || fields.sort.Find("$natural") || (IsOnId(fields.sort) && !listed);
}

// ---- pipelines

struct Pipeline {
  const Store& store;
  std::string_view database;
  std::string_view collection;
  StreamPtr stream;
};

Bytes CountDocument(Stream& stream, const std::function<void(bson::Builder&, std::int32_t)>& show) {
  std::int32_t count = 0;
  while (stream.Next()) {
    ++count;
  }
  bson::Builder document;
  show(document, count);
  return count == 0 ? Bytes() : document.Finish();
}

void ReplaceByCount(Pipeline& pipeline,
                    const std::function<void(bson::Builder&, std::int32_t)>& show) {
  std::vector<Bytes> documents;
  if (Bytes counted = CountDocument(*pipeline.stream, show); !counted.empty()) {
    documents.push_back(std::move(counted));
  }
  pipeline.stream = MakeListStream(std::move(documents));
}

// {_id: <constant>, <name>: {$sum: 1}}
void Group(Pipeline& pipeline, const bson::Element& stage) {
  const bson::Document group = stage.AsDocument().value_or(bson::Document());
  ReplaceByCount(pipeline, [&](bson::Builder& out, std::int32_t count) {
    for (const bson::Element& field : group) {
      const bson::Document operation = DocumentAt(group, field.name);
      if (field.name == "_id" && !field.AsString() && operation.empty()) {
        out.AppendElement("_id", field);
      } else if (IntegerAt(operation, "$sum", 0) == 1) {
        out.Append(field.name, count);
      } else {
        throw CommandError(15952, "Location15952", "this server only sums 1 in $group");
      }
    }
  });
}

void CollStats(Pipeline& pipeline, const bson::Element& stage) {
  const NamespacePtr ns = pipeline.store.Find(pipeline.database, pipeline.collection);
  if (ns == nullptr) {
    throw CommandError(26,
                       "NamespaceNotFound",
                       "Collection [" + std::string(pipeline.database) + "." +
                           std::string(pipeline.collection) + "] not found.");
  }
  const bson::Document wanted = stage.AsDocument().value_or(bson::Document());
  bson::Builder out;
  out.Append("ns", ns->FullName());
  if (wanted.Find("count")) {
    out.Append("count", static_cast<std::int64_t>(ns->documents.count()));
  }
  if (wanted.Find("storageStats")) {
    bson::Builder stats;
    AppendStats(stats, *ns, IntegerAt(DocumentAt(wanted, "storageStats"), "scale", 1));
    const Bytes bytes = stats.Finish();
    out.Append("storageStats", bson::Document(bytes));
  }
  pipeline.stream = MakeListStream({out.Finish()});
}

bson::Document DocumentOf(const bson::Element& stage) {
  return stage.AsDocument().value_or(bson::Document());
}

void AddStage(Pipeline& pipeline, const bson::Element& stage) {
  StreamPtr& stream = pipeline.stream;
  if (stage.name == "$match") {
    stream = MakeFilterStream(std::move(stream), Filter(DocumentOf(stage)));
  } else if (stage.name == "$sort") {
    stream = MakeSortStream(*stream, DocumentOf(stage));
  } else if (stage.name == "$skip") {
    stream = MakeSkipStream(std::move(stream), stage.AsInteger().value_or(0));
  } else if (stage.name == "$limit") {
    stream = MakeLimitStream(std::move(stream), stage.AsInteger().value_or(0));
  } else if (stage.name == "$project") {
    stream = MakeProjectStream(std::move(stream), DocumentOf(stage));
  } else if (stage.name == "$count") {
    ReplaceByCount(pipeline, [&](bson::Builder& out, std::int32_t count) {
      out.Append(stage.AsString().value_or("count"), count);
    });
  } else if (stage.name == "$group") {
    Group(pipeline, stage);
  } else if (stage.name == "$collStats") {
    CollStats(pipeline, stage);
  } else {
    throw CommandError(40324,
                       "Location40324",
                       "Unrecognized pipeline stage name: '" + std::string(stage.name) + "'");
  }
}

// The stream that a pipeline begins with: a leading $match may use the order by _id.
StreamPtr OpenFirst(const Store& store, const NamespacePtr& ns, const bson::Document& pipeline) {
  if (ns == nullptr) {
    return MakeListStream({});
  }
  if (ns->IsView()) {
    const bson::Document options(ns->options);
    return OpenPipeline(
        store, ns->database, TextAt(options, "viewOn"), DocumentAt(options, "pipeline"));
  }
  const bson::Document first = pipeline.empty() ? bson::Document() : DocumentOf(*pipeline.begin());
  return OpenScan(ns, {.filter = DocumentAt(first, "$match")});
}

}  // namespace

StreamPtr OpenFind(const NamespacePtr& ns, const FindFields& fields) {
  StreamPtr stream = MakeFilterStream(OpenScan(ns, fields), Filter(fields.filter));
  return IsSortedByScan(fields) ? std::move(stream) : MakeSortStream(*stream, fields.sort);
}

StreamPtr OpenPipeline(const Store& store,
                       std::string_view database,
                       std::string_view collection,
                       const bson::Document& pipeline) {
  Pipeline opened{store, database, collection, nullptr};
  opened.stream = OpenFirst(store, store.Find(database, collection), pipeline);
  for (const bson::Element& element : pipeline) {
    const bson::Document stage = DocumentOf(element);
    if (stage.empty()) {
      throw CommandError(40323, "Location40323", "A pipeline stage must have one field");
    }
    AddStage(opened, *stage.begin());
  }
  return std::move(opened.stream);
}

void AppendStats(bson::Builder& out, const Namespace& ns, std::int64_t scale) {
  const std::int64_t divisor = std::max<std::int64_t>(scale, 1);
  const auto count = static_cast<std::int64_t>(ns.documents.count());
  const auto bytes = static_cast<std::int64_t>(ns.documents.bytes());
  out.Append("size", bytes / divisor).Append("count", count);
  if (count > 0) {
    out.Append("avgObjSize", bytes / count);
  }
  out.Append("storageSize", bytes / divisor).Append("freeStorageSize", std::int64_t{0});
  out.Append("capped", ns.capped);
  if (ns.capped) {
    out.Append("max", static_cast<std::int64_t>(ns.capped_documents));
    out.Append("maxSize", static_cast<std::int64_t>(ns.capped_bytes) / divisor);
  }
  out.Append("nindexes", static_cast<std::int32_t>(ns.indexes.size()));
  out.Append("totalIndexSize", std::int64_t{0}).Append("totalSize", bytes / divisor);
  out.Append("scaleFactor", static_cast<std::int32_t>(divisor));
}

}  // namespace tidemark::memory
