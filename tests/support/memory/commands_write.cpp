#include <algorithm>
#include <functional>

#include "base/object_id.h"
#include "tests/support/memory/command_error.h"
#include "tests/support/memory/commands.h"
#include "tests/support/memory/update.h"

namespace tidemark::memory {
namespace {

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

// The writeErrors of a reply.
class WriteErrors {
 public:
  void Add(std::int32_t number, const CommandError& why) {
    bson::Builder error;
    error.Append("index", number).Append("code", std::int32_t{why.code});
    error.Append("errmsg", why.what());
    const Bytes bytes = error.Finish();
    array_.Append(Doc(bytes));
    any_ = true;
  }

  bool any() const { return any_; }

  void AppendTo(bson::Builder& reply) {
    if (any_) {
      const Bytes bytes = array_.Finish();
      reply.AppendArray("writeErrors", Doc(bytes));
    }
  }

 private:
  bson::ArrayBuilder array_;
  bool any_ = false;
};

// A command's documents, from its array or from document sequences; `visit` gets them in runs of
// whole documents that lie one after the other.
void ForEachRun(const Call& call,
                std::string_view name,
                const std::function<void(ByteView run)>& visit) {
  for (const wire::DocumentSequence& sequence : call.request.sequences) {
    if (sequence.name == name) {
      visit(sequence.documents);
    }
  }
  const bson::Document array = DocumentAt(call.command(), name);
  for (const bson::Element& element : array) {
    const auto document = element.AsDocument();
    if (!document) {
      ThrowBadValue(std::string(name) + " holds something that is no document");
    }
    visit(document->bytes());
  }
}

void ForEachOne(const Call& call,
                std::string_view name,
                const std::function<void(const bson::Document&)>& visit) {
  ForEachRun(call, name, [&](ByteView run) {
    while (!run.empty()) {
      const ByteView one = run.first(bson::FrontDocumentSize(run));
      visit(bson::Document(one));
      run = run.subspan(one.size());
    }
  });
}

Store::Order OrderOf(const Call& call) {
  const auto ordered = call.command().Find("ordered");
  return ordered && !ordered->AsBool().value_or(true) ? Store::Order::kUnordered
                                                      : Store::Order::kOrdered;
}

const Fault* RefusalIn(const Call& call) {
  const auto found = std::ranges::find_if(
      call.met, [](const Fault& fault) { return fault.action == FaultAction::kRefuseDocuments; });
  return found == call.met.end() ? nullptr : &*found;
}

// Runs `statement` for each of the command's statements, collecting write errors.
void RunStatements(const Call& call,
                   std::string_view name,
                   WriteErrors& errors,
                   const std::function<void(std::int32_t, const bson::Document&)>& statement) {
  const Fault* refusal = RefusalIn(call);
  const bool ordered = OrderOf(call) == Store::Order::kOrdered;
  std::int32_t number = 0;
  ForEachOne(call, name, [&](const bson::Document& one) {
    if (ordered && errors.any()) {
      return;
    }
    try {
      if (refusal != nullptr) {
        throw CommandError(refusal->code, refusal->code_name, refusal->message);
      }
      statement(number, one);
    } catch (const CommandError& error) {
      errors.Add(number, error);
    }
    ++number;
  });
}

enum class Extent { kFirst, kAll };

bool IsOperators(const bson::Element& value) {
  const auto document = value.type == bson::Type::kDocument ? value.AsDocument() : std::nullopt;
  return document && !document->empty() && document->begin()->name.starts_with('$');
}

// Where a filter's documents are.
std::vector<Documents::Position> Select(const NamespacePtr& ns,
                                        const bson::Document& filter,
                                        Extent extent) {
  std::vector<Documents::Position> positions;
  const Filter condition(filter);
  Documents& documents = ns->documents;
  Documents::Position at = documents.begin();
  Documents::Position end = documents.end();
  if (const auto id = filter.Find("_id"); id && !IsOperators(*id)) {
    const auto position = documents.FindId(*id);
    at = position.value_or(end);
    end = position ? *position + 1 : end;
  }
  for (; at < end && (extent == Extent::kAll || positions.empty()); ++at) {
    const ByteView document = documents.At(at);
    if (!document.empty() && condition.Matches(bson::Document(document))) {
      positions.push_back(at);
    }
  }
  return positions;
}

// What an upsert begins with: the filter's equalities.
Bytes SeedOf(const bson::Document& filter) {
  bson::Builder seed;
  for (const bson::Element& element : filter) {
    if (!IsOperators(element) && !element.name.starts_with('$')) {
      seed.AppendElement(element.name, element);
    } else if (const auto equal = DocumentAt(filter, element.name).Find("$eq")) {
      seed.AppendElement(element.name, *equal);
    }
  }
  return seed.Finish();
}

Bytes WithFreshId(const State& state, const Bytes& document) {
  if (Doc(document).Find("_id")) {
    return document;
  }
  bson::Builder completed;
  const ObjectId id = ObjectId::Generate(state.clock.Now(), state.random);
  AppendObjectId(completed, "_id", id.bytes());
  for (const bson::Element& element : Doc(document)) {
    completed.AppendElement(element.name, element);
  }
  return completed.Finish();
}

// Counts of one update command.
struct Updated {
  std::int32_t matched = 0;
  std::int32_t modified = 0;
  bson::ArrayBuilder upserted;
  bool any_upserted = false;
};

void UpdateAt(Call& call,
              const NamespacePtr& ns,
              Documents::Position position,
              const bson::Element& update,
              Updated& done) {
  const Bytes before = CopyOf(ns->documents.At(position));
  const bson::Document change = update.AsDocument().value_or(bson::Document());
  const bool replaces = FormOf(update) == UpdateForm::kReplacement;
  const Bytes after =
      replaces ? Replaced(Doc(before), change) : Apply(Doc(before), change, Occasion::kUpdate);
  ++done.matched;
  if (after == before) {
    return;
  }
  const Bytes entry = replaces ? after : DiffEntry(Doc(before), Doc(after));
  call.state.store.Update(ns, position, after, Doc(entry));
  ++done.modified;
}

void Upsert(Call& call,
            const NamespacePtr& ns,
            std::int32_t number,
            const bson::Document& statement,
            Updated& done) {
  const auto update = statement.Find("u");
  const Bytes seed = SeedOf(DocumentAt(statement, "q"));
  const bson::Document change = DocumentAt(statement, "u");
  const bool replaces = update && FormOf(*update) == UpdateForm::kReplacement;
  const Bytes made = WithFreshId(
      call.state,
      replaces ? Replaced(Doc(seed), change) : Apply(Doc(seed), change, Occasion::kUpsert));
  call.state.store.Insert(
      ns, made, number, Store::Order::kOrdered, [](std::int32_t, const CommandError& why) {
        throw CommandError(why);
      });
  ++done.matched;
  bson::Builder entry;
  entry.Append("index", number);
  if (const auto id = Doc(made).Find("_id")) {
    entry.AppendElement("_id", *id);
  }
  const Bytes bytes = entry.Finish();
  done.upserted.Append(Doc(bytes));
  done.any_upserted = true;
}

void UpdateOne(Call& call,
               const NamespacePtr& ns,
               std::int32_t number,
               const bson::Document& statement,
               Updated& done) {
  const auto update = statement.Find("u");
  if (!update) {
    ThrowBadValue("an update without u");
  }
  FormOf(*update);  // refuses what cannot be done even when nothing matches
  const Extent extent = IsSet(statement, "multi") ? Extent::kAll : Extent::kFirst;
  const auto positions = Select(ns, DocumentAt(statement, "q"), extent);
  for (const Documents::Position position : positions) {
    UpdateAt(call, ns, position, *update, done);
  }
  if (positions.empty() && IsSet(statement, "upsert")) {
    Upsert(call, ns, number, statement, done);
  }
}

}  // namespace

Bytes Insert(Call& call) {
  Store& store = call.state.store;
  const NamespacePtr ns = store.ForWriting(call.database(), call.Collection());
  const Store::Order order = OrderOf(call);
  const Fault* refusal = RefusalIn(call);
  WriteErrors errors;
  std::int32_t number = 0;
  std::int32_t taken = 0;
  const auto refused = [&](std::int32_t which, const CommandError& why) { errors.Add(which, why); };
  if (refusal != nullptr) {
    RunStatements(call, "documents", errors, [](std::int32_t, const bson::Document&) {});
  } else {
    ForEachRun(call, "documents", [&](ByteView run) {
      if (order == Store::Order::kUnordered || !errors.any()) {
        const Store::Inserted inserted = store.Insert(ns, run, number, order, refused);
        taken += inserted.taken;
        number += inserted.seen;
      }
    });
  }
  bson::Builder reply;
  reply.Append("n", taken);
  errors.AppendTo(reply);
  return reply.Finish();
}

Bytes Update(Call& call) {
  const NamespacePtr ns = call.state.store.ForWriting(call.database(), call.Collection());
  WriteErrors errors;
  Updated done;
  RunStatements(call, "updates", errors, [&](std::int32_t number, const bson::Document& statement) {
    UpdateOne(call, ns, number, statement, done);
  });
  bson::Builder reply;
  reply.Append("n", done.matched).Append("nModified", done.modified);
  if (done.any_upserted) {
    const Bytes upserted = done.upserted.Finish();
    reply.AppendArray("upserted", Doc(upserted));
  }
  errors.AppendTo(reply);
  return reply.Finish();
}

Bytes Delete(Call& call) {
  const NamespacePtr ns = call.Find();
  WriteErrors errors;
  std::int32_t deleted = 0;
  RunStatements(call, "deletes", errors, [&](std::int32_t, const bson::Document& statement) {
    if (ns == nullptr) {
      return;
    }
    const Extent extent = IntegerAt(statement, "limit", 0) == 0 ? Extent::kAll : Extent::kFirst;
    for (const Documents::Position position : Select(ns, DocumentAt(statement, "q"), extent)) {
      call.state.store.Delete(ns, position);
      ++deleted;
    }
  });
  bson::Builder reply;
  reply.Append("n", deleted);
  errors.AppendTo(reply);
  return reply.Finish();
}

}  // namespace tidemark::memory
