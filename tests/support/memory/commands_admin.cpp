#include <algorithm>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/commands.h"

namespace tidemark::memory {
namespace {

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

std::int64_t Milliseconds(Instant instant) {
  return ToMicros(instant) / 1000;
}

void AppendOptime(bson::Builder& out, std::string_view name, OplogTime time) {
  const Bytes optime = bson::Builder()
                           .AppendTimestamp("ts", time.seconds, time.increment)
                           .Append("t", std::int64_t{1})
                           .Finish();
  out.Append(name, Doc(optime));
}

void AppendReplicaSet(bson::Builder& reply, const State& state) {
  const std::string& address = state.identity.address;
  const Bytes hosts = bson::ArrayBuilder().Append(address).Finish();
  reply.Append("setName", state.identity.replica_set).Append("setVersion", std::int32_t{1});
  reply.AppendArray("hosts", Doc(hosts)).Append("me", address);
  if (state.primary) {
    reply.Append("primary", address);
  }
  bson::Builder last_write;
  AppendOptime(last_write, "opTime", state.store.LastTime());
  last_write.AppendDateTime("lastWriteDate", Milliseconds(state.clock.Now()));
  AppendOptime(last_write, "majorityOpTime", state.store.LastTime());
  last_write.AppendDateTime("majorityWriteDate", Milliseconds(state.clock.Now()));
  const Bytes written = last_write.Finish();
  reply.Append("lastWrite", Doc(written));
}

std::vector<std::int32_t> VersionNumbers(const std::string& version) {
  std::vector<std::int32_t> numbers{0};
  for (const char c : version) {
    if (c == '.') {
      numbers.push_back(0);
    } else if (c >= '0' && c <= '9') {
      numbers.back() = numbers.back() * 10 + (c - '0');
    }
  }
  numbers.resize(4);
  return numbers;
}

// "6.0" of "6.0.16".
std::string FeatureVersion(const std::string& version) {
  return version.substr(0, version.find('.', version.find('.') + 1));
}

Bytes IntegerArray(const std::vector<std::int32_t>& numbers) {
  bson::Builder array;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    array.Append(std::to_string(i), numbers[i]);
  }
  return array.Finish();
}

void RequireReplicaSet(const State& state) {
  if (!state.IsReplicaSet()) {
    throw CommandError(76, "NoReplicationEnabled", "not running with --replSet");
  }
}

}  // namespace

Bytes Hello(Call& call) {
  State& state = call.state;
  bson::Builder reply;
  reply.Append("helloOk", true);
  reply.Append(call.name() == "hello" ? "isWritablePrimary" : "ismaster", state.primary);
  if (state.IsReplicaSet()) {
    reply.Append("secondary", !state.primary);
    AppendReplicaSet(reply, state);
  }
  reply.Append("maxBsonObjectSize", std::int32_t{16 << 20});
  reply.Append("maxMessageSizeBytes", static_cast<std::int32_t>(wire::kMaxMessageSize));
  reply.Append("maxWriteBatchSize", std::int32_t{100000});
  reply.AppendDateTime("localTime", Milliseconds(state.clock.Now()));
  reply.Append("logicalSessionTimeoutMinutes", std::int32_t{30});
  reply.Append("connectionId", call.connection);
  reply.Append("minWireVersion", std::int32_t{0}).Append("maxWireVersion", std::int32_t{17});
  reply.Append("readOnly", false);
  if (call.command().Find("saslSupportedMechs")) {
    reply.AppendArray("saslSupportedMechs", bson::Document());
  }
  return reply.Finish();
}

Bytes BuildInfo(Call& call) {
  const std::string& version = call.state.identity.version;
  const Bytes numbers = IntegerArray(VersionNumbers(version));
  const Bytes engines = bson::ArrayBuilder().Append("wiredTiger").Finish();
  return bson::Builder()
      .Append("version", version)
      .Append("gitVersion", "0000000000000000000000000000000000000000")
      .AppendArray("modules", bson::Document())
      .Append("sysInfo", "deprecated")
      .AppendArray("versionArray", Doc(numbers))
      .Append("bits", std::int32_t{64})
      .Append("debug", false)
      .Append("maxBsonObjectSize", std::int32_t{16 << 20})
      .AppendArray("storageEngines", Doc(engines))
      .Append("tidemarkMemoryServer", true)
      .Finish();
}

Bytes ServerStatus(Call& call) {
  const Bytes connections = bson::Builder()
                                .Append("current", std::int32_t{1})
                                .Append("available", std::int32_t{1})
                                .Finish();
  const Bytes engine = bson::Builder().Append("name", "wiredTiger").Finish();
  bson::Builder reply;
  reply.Append("host", call.state.identity.address);
  reply.Append("version", call.state.identity.version).Append("process", "mongod");
  reply.AppendDateTime("localTime", Milliseconds(call.state.clock.Now()));
  reply.Append("connections", Doc(connections)).Append("storageEngine", Doc(engine));
  if (call.state.IsReplicaSet()) {
    bson::Builder repl;
    AppendReplicaSet(repl, call.state);
    const Bytes bytes = repl.Finish();
    reply.Append("repl", Doc(bytes));
  }
  return reply.Finish();
}

Bytes GetParameter(Call& call) {
  if (!call.command().Find("featureCompatibilityVersion") &&
      call.command().begin()->AsString() != "*") {
    throw CommandError(72, "InvalidOptions", "no option found to get");
  }
  const Bytes version =
      bson::Builder().Append("version", FeatureVersion(call.state.identity.version)).Finish();
  return bson::Builder().Append("featureCompatibilityVersion", Doc(version)).Finish();
}

Bytes HostInfo(Call& call) {
  const Bytes system = bson::Builder()
                           .Append("hostname", call.state.identity.address)
                           .Append("numCores", std::int32_t{1})
                           .Finish();
  const Bytes os = bson::Builder().Append("type", "Linux").Finish();
  return bson::Builder().Append("system", Doc(system)).Append("os", Doc(os)).Finish();
}

Bytes ReplSetGetStatus(Call& call) {
  RequireReplicaSet(call.state);
  bson::Builder member;
  member.Append("_id", std::int32_t{0}).Append("name", call.state.identity.address);
  member.Append("health", 1.0).Append("state", std::int32_t{call.state.primary ? 1 : 2});
  member.Append("stateStr", call.state.primary ? "PRIMARY" : "SECONDARY").Append("self", true);
  AppendOptime(member, "optime", call.state.store.LastTime());
  const Bytes bytes = member.Finish();
  const Bytes members = bson::ArrayBuilder().Append(Doc(bytes)).Finish();
  return bson::Builder()
      .Append("set", call.state.identity.replica_set)
      .AppendDateTime("date", Milliseconds(call.state.clock.Now()))
      .Append("myState", std::int32_t{call.state.primary ? 1 : 2})
      .Append("term", std::int64_t{1})
      .AppendArray("members", Doc(members))
      .Finish();
}

Bytes ReplSetGetConfig(Call& call) {
  RequireReplicaSet(call.state);
  const Bytes member = bson::Builder()
                           .Append("_id", std::int32_t{0})
                           .Append("host", call.state.identity.address)
                           .Finish();
  const Bytes members = bson::ArrayBuilder().Append(Doc(member)).Finish();
  const Bytes config = bson::Builder()
                           .Append("_id", call.state.identity.replica_set)
                           .Append("version", std::int32_t{1})
                           .AppendArray("members", Doc(members))
                           .Finish();
  return bson::Builder().Append("config", Doc(config)).Finish();
}

Bytes ReplSetStepDown(Call& call) {
  RequireReplicaSet(call.state);
  call.state.primary = false;
  return {};
}

Bytes ConnectionStatus(Call& call) {
  const std::string& login = call.state.identity.login;
  bson::ArrayBuilder users;
  if (const std::size_t dot = login.find('.'); dot != std::string::npos) {
    const Bytes user = bson::Builder()
                           .Append("user", login.substr(dot + 1))
                           .Append("db", login.substr(0, dot))
                           .Finish();
    users.Append(Doc(user));
  }
  const Bytes array = users.Finish();
  const Bytes info = bson::Builder()
                         .AppendArray("authenticatedUsers", Doc(array))
                         .AppendArray("authenticatedUserRoles", bson::Document())
                         .Finish();
  return bson::Builder().Append("authInfo", Doc(info)).Finish();
}

Bytes GetLog(Call& call) {
  static_cast<void>(call);
  return bson::Builder()
      .Append("totalLinesWritten", std::int32_t{0})
      .AppendArray("log", bson::Document())
      .Finish();
}

Bytes GetCmdLineOpts(Call& call) {
  static_cast<void>(call);
  return bson::Builder()
      .AppendArray("argv", bson::Document())
      .Append("parsed", bson::Document())
      .Finish();
}

Bytes AppendOplogNote(Call& call) {
  RequireReplicaSet(call.state);
  call.state.store.AppendNoop(DocumentAt(call.command(), "data"));
  return {};
}

Bytes TidemarkFault(Call& call) {
  const std::string_view what = TextAt(call.command(), "tidemarkFault");
  if (what == "clear") {
    call.faults.Clear();
    call.state.primary = true;
  } else if (what == "dropAfterBytes") {
    call.faults.DropAfterBytes(static_cast<std::uint64_t>(IntegerAt(call.command(), "bytes", 0)));
  } else if (what == "stepDown") {
    call.state.primary = false;
  } else if (what == "stepUp") {
    call.state.primary = true;
    call.state.store.NextTerm();
    const Bytes message = bson::Builder().Append("msg", "new primary").Finish();
    call.state.store.AppendNoop(Doc(message));
  } else if (what == "fullDisk") {
    call.faults.Add(FullDisk());
  } else {
    call.faults.Add(ParseFault(call.command()));
  }
  return {};
}

}  // namespace tidemark::memory
