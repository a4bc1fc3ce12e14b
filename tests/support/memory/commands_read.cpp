#include <algorithm>
#include <limits>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/commands.h"

namespace tidemark::memory {
namespace {

constexpr std::int64_t kDefaultFirstBatch = 101;  // documents, as the server does
constexpr std::chrono::milliseconds kDefaultAwait{1000};

std::string FullName(const Call& call, std::string_view collection) {
  return std::string(call.database()) + "." + std::string(collection);
}

CursorPtr NewCursor(std::string ns, StreamPtr stream) {
  auto cursor = std::make_unique<Cursor>();
  cursor->ns = std::move(ns);
  cursor->stream = std::move(stream);
  return cursor;
}

FindFields FieldsOf(const bson::Document& command) {
  return {.filter = DocumentAt(command, "filter"),
          .sort = DocumentAt(command, "sort"),
          .hint = command.Find("hint"),
          .min = DocumentAt(command, "min"),
          .max = DocumentAt(command, "max")};
}

StreamPtr OpenSelection(const Call& call, const FindFields& fields) {
  const NamespacePtr ns = call.Find();
  if (ns == nullptr) {
    return MakeListStream({});
  }
  if (ns->type == "collection") {
    return OpenFind(ns, fields);
  }
  StreamPtr stream = MakeFilterStream(
      OpenPipeline(call.state.store, ns->database, ns->collection, bson::Document()),
      Filter(fields.filter));
  return fields.sort.empty() ? std::move(stream) : MakeSortStream(*stream, fields.sort);
}

// A find without a batch size gives a small first batch.
std::int64_t FirstBatch(const bson::Document& sized) {
  const std::int64_t asked = IntegerAt(sized, "batchSize", -1);
  return asked < 0 ? kDefaultFirstBatch : asked;
}

CursorPtr TakeCursor(Call& call) {
  const std::int64_t id = call.command().begin()->AsInteger().value_or(0);
  auto found = call.state.cursors.find(id);
  const bool killed = std::ranges::any_of(
      call.met, [](const Fault& fault) { return fault.action == FaultAction::kKillCursor; });
  if (killed && found != call.state.cursors.end()) {
    call.state.cursors.erase(found);
    found = call.state.cursors.end();
  }
  if (found == call.state.cursors.end()) {
    throw CommandError(43, "CursorNotFound", "cursor id " + std::to_string(id) + " not found");
  }
  CursorPtr cursor = std::move(found->second);
  call.state.cursors.erase(found);
  return cursor;
}

}  // namespace

Page Find(Call& call) {
  const bson::Document& command = call.command();
  StreamPtr stream = OpenSelection(call, FieldsOf(command));
  const std::int64_t limit = IntegerAt(command, "limit", 0);
  stream = MakeSkipStream(std::move(stream), IntegerAt(command, "skip", 0));
  stream = MakeLimitStream(std::move(stream), std::abs(limit));
  stream = MakeProjectStream(std::move(stream), DocumentAt(command, "projection"));
  Page page;
  page.cursor = NewCursor(FullName(call, call.Collection()), std::move(stream));
  page.cursor->tailable = IsSet(command, "tailable");
  page.cursor->awaits_data = IsSet(command, "awaitData");
  page.batch_size = FirstBatch(command);
  page.single = IsSet(command, "singleBatch") || limit < 0;
  return page;
}

Page Aggregate(Call& call) {
  const bool on_collection = call.command().begin()->AsString().has_value();
  const std::string_view collection = on_collection ? call.Collection() : "$cmd.aggregate";
  Page page;
  page.cursor = NewCursor(
      FullName(call, collection),
      OpenPipeline(
          call.state.store, call.database(), collection, DocumentAt(call.command(), "pipeline")));
  page.batch_size = FirstBatch(DocumentAt(call.command(), "cursor"));
  return page;
}

Page GetMore(Call& call) {
  Page page;
  page.cursor = TakeCursor(call);
  page.batch = wire::Batch::kNext;
  const std::int64_t asked = IntegerAt(call.command(), "batchSize", 0);
  page.batch_size = asked <= 0 ? -1 : asked;
  if (page.cursor->awaits_data) {
    const std::int64_t wait = IntegerAt(call.command(), "maxTimeMS", kDefaultAwait.count());
    page.wait = std::chrono::milliseconds(std::clamp<std::int64_t>(wait, 0, 60'000));
  }
  return page;
}

Bytes KillCursors(Call& call) {
  bson::Builder killed;
  bson::Builder unknown;
  std::size_t killed_count = 0;
  std::size_t unknown_count = 0;
  const bson::Document cursors = DocumentAt(call.command(), "cursors");
  for (const bson::Element& cursor : cursors) {
    if (call.state.cursors.erase(cursor.AsInteger().value_or(0)) != 0) {
      killed.AppendElement(std::to_string(killed_count++), cursor);
    } else {
      unknown.AppendElement(std::to_string(unknown_count++), cursor);
    }
  }
  const Bytes killed_array = killed.Finish();
  const Bytes unknown_array = unknown.Finish();
  return bson::Builder()
      .AppendArray("cursorsKilled", bson::Document(killed_array))
      .AppendArray("cursorsNotFound", bson::Document(unknown_array))
      .AppendArray("cursorsAlive", bson::Document())
      .AppendArray("cursorsUnknown", bson::Document())
      .Finish();
}

Bytes Count(Call& call) {
  const bson::Document query = DocumentAt(call.command(), "query");
  const std::int64_t skip = IntegerAt(call.command(), "skip", 0);
  const std::int64_t limit = std::abs(IntegerAt(call.command(), "limit", 0));
  const NamespacePtr ns = call.Find();
  std::int64_t count = 0;
  if (ns != nullptr && ns->type == "collection" && query.empty() && skip == 0 && limit == 0) {
    count = static_cast<std::int64_t>(ns->documents.count());
  } else {
    const StreamPtr stream =
        MakeLimitStream(MakeSkipStream(OpenSelection(call, {.filter = query}), skip), limit);
    while (stream->Next()) {
      ++count;
    }
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return bson::Builder().Append("n", static_cast<std::int32_t>(std::min(count, kMost))).Finish();
}

Bytes Distinct(Call& call) {
  const std::string_view key = TextAt(call.command(), "key");
  const StreamPtr stream = OpenSelection(call, {.filter = DocumentAt(call.command(), "query")});
  std::vector<Bytes> values;  // {"": value}
  while (const auto document = stream->Next()) {
    const auto value = bson::Document(*document).Find(key);
    const auto same = [&](const Bytes& known) {
      return bson::CompareValues(*bson::Document(known).begin(), *value) == 0;
    };
    if (value && std::ranges::none_of(values, same)) {
      values.push_back(bson::Builder().AppendElement("", *value).Finish());
    }
  }
  bson::Builder array;
  for (std::size_t i = 0; i < values.size(); ++i) {
    array.AppendElement(std::to_string(i), *bson::Document(values[i]).begin());
  }
  const Bytes bytes = array.Finish();
  return bson::Builder().AppendArray("values", bson::Document(bytes)).Finish();
}

}  // namespace tidemark::memory
