#include "tests/support/memory/executor.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "tests/support/memory/command_error.h"

namespace tidemark::memory {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kMaxCursors = 10'000;  // beyond it the oldest one goes

// The namespace that a command is about, as far as it says so.
std::string NamespaceOf(const bson::Document& command, std::string_view database) {
  std::string_view collection = command.begin()->AsString().value_or("");
  if (const std::string_view of_cursor = TextAt(command, "collection"); !of_cursor.empty()) {
    collection = of_cursor;
  }
  return std::string(database) + "." + std::string(collection);
}

bool Has(const std::vector<Fault>& met, FaultAction action) {
  return std::ranges::any_of(met, [&](const Fault& fault) { return fault.action == action; });
}

void ThrowIfToldTo(const std::vector<Fault>& met) {
  for (const Fault& fault : met) {
    if (fault.action == FaultAction::kFail) {
      throw CommandError(fault.code, fault.code_name, fault.message, fault.labels);
    }
  }
}

// Fills the batch; true when the cursor has no more.
bool Fill(wire::BatchWriter& writer, Page& page) {
  Cursor& cursor = *page.cursor;
  if (!cursor.pending.empty()) {
    writer.Add(cursor.pending);
    cursor.pending.clear();
  }
  while (page.batch_size < 0 || writer.documents() < page.batch_size) {
    const auto document = cursor.stream->Next();
    if (!document) {
      return !cursor.tailable;
    }
    if (!writer.Add(*document)) {
      cursor.pending = CopyOf(*document);
      return false;
    }
  }
  return false;
}

}  // namespace

Executor::Outcome Executor::Run(const wire::Request& request, std::int32_t connection, Bytes& out) {
  const std::string_view name = request.command.begin()->name;
  const CommandRow* row = FindCommand(name);
  const Access access = row == nullptr ? Access::kAny : row->access;
  // What tells the server to behave again is met by no fault.
  const std::vector<Fault> met =
      name == "tidemarkFault"
          ? std::vector<Fault>()
          : faults_.Meet(name, NamespaceOf(request.command, request.database), access);
  for (const Fault& fault : met) {
    Delay(fault.delay);
  }
  if (Has(met, FaultAction::kHold)) {
    Hold();
  }
  if (Has(met, FaultAction::kDropConnection)) {
    return Outcome::kDrop;
  }
  const MutexLock lock(mutex_);
  Call call{state_, faults_, request, met, connection};
  try {
    Execute(call, row, out);
  } catch (const CommandError& error) {
    WriteError(call, error, out);
  } catch (const Error& error) {
    WriteError(call, CommandError(22, "InvalidBSON", std::string(error.message())), out);
  }
  if (access == Access::kWrite) {
    changed_.NotifyAll();
  }
  return Has(met, FaultAction::kDropAfterwards) ? Outcome::kDrop : Outcome::kReply;
}

void Executor::Stop() {
  const MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

void Executor::Delay(std::chrono::milliseconds delay) {
  const Deadline deadline = steady_clock::now() + delay;
  const MutexLock lock(mutex_);
  while (!stopped_ && steady_clock::now() < deadline) {
    changed_.WaitFor(mutex_, deadline - steady_clock::now());
  }
}

void Executor::Hold() {
  constexpr std::chrono::milliseconds kLook{10};
  const MutexLock lock(mutex_);
  while (!stopped_ && faults_.IsHolding()) {
    changed_.WaitFor(mutex_, kLook);
  }
}

void Executor::Execute(Call& call, const CommandRow* row, Bytes& out) {
  if (row == nullptr) {
    throw CommandError(
        59, "CommandNotFound", "no such command: '" + std::string(call.name()) + "'");
  }
  CheckMayRun(call, *row);
  if (row->open != nullptr) {
    WritePage(call, row->open(call), out);
    return;
  }
  const Bytes fields = row->run(call);
  bson::Builder reply;
  if (!fields.empty()) {
    for (const bson::Element& element : bson::Document(fields)) {
      reply.AppendElement(element.name, element);
    }
  }
  if (Has(call.met, FaultAction::kUnreplicated) &&
      TextAt(DocumentAt(call.command(), "writeConcern"), "w") == "majority") {
    const Bytes refusal = bson::Builder()
                              .Append("code", std::int32_t{64})
                              .Append("codeName", "WriteConcernFailed")
                              .Append("errmsg", "waiting for replication timed out")
                              .Finish();
    reply.Append("writeConcernError", bson::Document(refusal));
  }
  AppendTrailer(reply, 1.0);
  const Bytes body = reply.Finish();
  wire::EncodeReply(call.request, next_reply_++, bson::Document(body), out);
}

void Executor::CheckMayRun(const Call& call, const CommandRow& row) const {
  ThrowIfToldTo(call.met);
  if (IsSet(call.command(), "startTransaction") || call.command().Find("autocommit")) {
    throw CommandError(263,
                       "OperationNotSupportedInTransaction",
                       "this server has no transactions: " + std::string(call.name()));
  }
  if (state_.primary || row.access == Access::kAny) {
    return;
  }
  if (row.access == Access::kWrite) {
    throw CommandError(10107, "NotWritablePrimary", "not primary");
  }
  const std::string_view mode = TextAt(DocumentAt(call.command(), "$readPreference"), "mode");
  if (mode.empty() || mode == "primary") {
    throw CommandError(13435, "NotPrimaryNoSecondaryOk", "not primary and secondaryOk=false");
  }
}

void Executor::WritePage(const Call& call, Page page, Bytes& out) {
  wire::BatchWriter writer(call.request, next_reply_++, page.batch, out);
  const Deadline deadline = steady_clock::now() + page.wait;
  bool exhausted = Fill(writer, page);
  while (!exhausted && writer.documents() == 0 && !stopped_ && steady_clock::now() < deadline) {
    changed_.WaitFor(mutex_, deadline - steady_clock::now());
    exhausted = Fill(writer, page);
  }
  const std::string ns = page.cursor->ns;
  std::int64_t id = 0;
  if (!exhausted && !page.single) {
    page.cursor->id = page.cursor->id == 0 ? state_.next_cursor++ : page.cursor->id;
    id = page.cursor->id;
    if (state_.cursors.size() >= kMaxCursors) {
      state_.cursors.erase(state_.cursors.begin());
    }
    state_.cursors[id] = std::move(page.cursor);
  }
  bson::Builder trailer;
  AppendTrailer(trailer, 1.0);
  const Bytes bytes = trailer.Finish();
  writer.Finish(id, ns, bson::Document(bytes));
}

void Executor::WriteError(const Call& call, const CommandError& error, Bytes& out) {
  bson::Builder reply;
  reply.Append("errmsg", error.what()).Append("code", std::int32_t{error.code});
  reply.Append("codeName", error.code_name);
  if (!error.labels.empty()) {
    bson::ArrayBuilder labels;
    for (const std::string& label : error.labels) {
      labels.Append(label);
    }
    const Bytes array = labels.Finish();
    reply.AppendArray("errorLabels", bson::Document(array));
  }
  AppendTrailer(reply, 0.0);
  const Bytes body = reply.Finish();
  wire::EncodeReply(call.request, next_reply_++, bson::Document(body), out);
}

// ok, and what a member of a replica set says of time.
void Executor::AppendTrailer(bson::Builder& reply, double ok) {
  constexpr std::array<std::uint8_t, 20> kNoHash{};
  reply.Append("ok", ok);
  if (!state_.IsReplicaSet()) {
    return;
  }
  const OplogTime time = state_.store.LastTime();
  const Bytes signature =
      bson::Builder().AppendBinary("hash", kNoHash).Append("keyId", std::int64_t{0}).Finish();
  const Bytes cluster_time = bson::Builder()
                                 .AppendTimestamp("clusterTime", time.seconds, time.increment)
                                 .Append("signature", bson::Document(signature))
                                 .Finish();
  reply.Append("$clusterTime", bson::Document(cluster_time));
  reply.AppendTimestamp("operationTime", time.seconds, time.increment);
}

}  // namespace tidemark::memory
