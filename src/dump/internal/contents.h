#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dump/internal/metadata.h"
#include "engine/source.h"

namespace tidemark::dump {

// Whether collections come by the names of files or by their own.
enum class NameForm { kEscaped, kPlain };

// What a dump holds, put together from its pieces in any order, and what of it becomes a snapshot.
// Confined.
class Contents {
 public:
  explicit Contents(NameForm form) : form_(form) {}

  // Each throws kCorrupt, or kResourceExhausted beyond the limits of limits.h.
  void AddDatabase(std::string_view database);
  // `stream` is the caller's number of the documents. 0 documents: not known.
  void AddDocuments(std::string_view database,
                    std::string_view collection,
                    std::size_t stream,
                    std::uint64_t documents,
                    std::uint64_t bytes);
  void AddMetadata(std::string_view database, std::string_view collection, std::string_view text);
  // Of several ones the last counts; empty: not known.
  void SetServerVersion(std::string version);

  void NoteOplog() { has_oplog_ = true; }

  using Visit = std::function<void(ByteView document)>;
  using ReadStream = std::function<void(std::size_t stream, const Visit& visit)>;

  struct Result {
    engine::SourceCatalog catalog;
    // For each of the catalog's namespaces, where its documents are; nullopt: a view.
    std::vector<std::optional<std::size_t>> streams;
    std::vector<std::string> notes;  // what is not in the snapshot, for people
  };

  // `read` is called for the index lists of dumps before MongoDB 3.0. kCorrupt when the pieces do
  // not fit together: two collections of one name, metadata without documents, and so on.
  Result Finish(const ReadStream& read);

 private:
  struct Documents {
    std::size_t stream = 0;
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
  };

  struct Part {
    std::optional<Documents> documents;
    std::optional<Metadata> metadata;
  };

  using Name = std::pair<std::string, std::string>;  // database, collection

  Part& PartOf(std::string_view database, std::string_view collection);
  std::map<Name, Part> ResolveNames();
  Name ResolveName(const Name& name, const Part& part, const std::map<Name, Name>& buckets) const;
  std::map<Name, Name> BucketFiles() const;
  std::string TrueName(const Name& name, const Metadata& metadata) const;
  static void JoinBuckets(std::map<Name, Part>& parts);
  void ReadOldIndexes(std::map<Name, Part>& parts, const ReadStream& read);
  static repo::Accounts TakeAccounts(std::map<Name, Part>& parts, const ReadStream& read);
  bool IsLeftOut(const Name& name);
  void AddNamespace(const Name& name, Part part, Result& result);
  void Note(std::string note);

  const NameForm form_;
  std::set<std::string> databases_;
  std::map<Name, Part> parts_;
  std::size_t metadata_bytes_ = 0;
  std::string server_version_;
  bool has_oplog_ = false;
  std::map<Name, std::vector<Bytes>> old_indexes_;
  std::vector<std::string> notes_;
};

}  // namespace tidemark::dump
