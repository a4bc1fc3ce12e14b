#include <utility>

#include "base/error.h"
#include "dump/internal/byte_stream.h"
#include "dump/internal/contents.h"
#include "dump/internal/limits.h"
#include "dump/internal/names.h"
#include "dump/internal/sources.h"

namespace tidemark::dump {
namespace {

[[noreturn]] void ThrowUnknown(const std::string& path) {
  throw Error(ErrorCode::kUnsupported,
              "reading the dump: " + Printable(path) + " is nothing that mongodump writes",
              "a dump's folder holds its databases' folders with .bson and .metadata.json files");
}

// A file's bytes, unpacked when it says so.
class TreeFile {
 public:
  TreeFile(const OpenFile& file, bool packed, const std::stop_token& stop)
      : stream_(file, stop),
        unpacked_(stream_),
        reader_(packed ? static_cast<ByteStream&>(unpacked_) : stream_) {}

  ByteReader& reader() { return reader_; }

 private:
  FileStream stream_;
  UnpackedStream unpacked_;
  ByteReader reader_;
};

std::string ReadText(const OpenFile& file, bool packed) {
  TreeFile text_file(file, packed, {});
  ByteReader& reader = text_file.reader();
  std::string text;
  while (!reader.AtEnd()) {
    Bytes piece(reader.Peek(64U << 10U).size());
    reader.Read(piece);
    text += AsText(piece);
    if (text.size() > kMaxMetadata) {
      throw Error(ErrorCode::kResourceExhausted,
                  "reading " + file.path() + ": more than 16 MiB of metadata");
    }
  }
  return text;
}

class TreeSource final : public DumpSource {
 public:
  explicit TreeSource(OpenFile folder) : folder_(std::move(folder)) {}

  engine::SourceCatalog ReadCatalog() override {
    files_.clear();
    Contents contents(NameForm::kEscaped);
    for (const std::string& name : folder_.Names(kMaxDatabases + 2)) {
      const OpenFile entry = folder_.Child(name);
      if (entry.IsFolder()) {
        ReadDatabase(name, entry, contents);
      } else {
        ReadBesideDatabases(name, entry, contents);
      }
    }
    result_ = contents.Finish(
        [this](std::size_t stream, const Contents::Visit& visit) { ReadFile(stream, {}, visit); });
    index_ = StreamIndex(result_.catalog, result_.streams);
    return result_.catalog;
  }

  void Scan(const engine::SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    ReadFile(index_.Find(ns), stop, visit);
  }

  std::string_view format() const override { return "tree"; }

  const std::vector<std::string>& notes() const override { return result_.notes; }

 private:
  struct File {
    std::string database;
    std::string name;
    bool packed = false;
    FileVersion version;
  };

  static void ReadBesideDatabases(const std::string& name,
                                  const OpenFile& file,
                                  Contents& contents) {
    const std::optional<DumpFileName> parsed = ParseFileBesideDatabases(name);
    if (!parsed) {
      ThrowUnknown(file.path());
    }
    if (parsed->kind == DumpFileKind::kOplog) {
      contents.NoteOplog();
    } else {
      contents.SetServerVersion(ReadPrelude(ReadText(file, parsed->packed)));
    }
  }

  void ReadDatabase(const std::string& database, const OpenFile& folder, Contents& contents) {
    contents.AddDatabase(database);
    for (const std::string& name : folder.Names(2 * kMaxNamespaces + 1)) {
      const OpenFile file = folder.Child(name);
      const std::optional<DumpFileName> parsed = ParseFileInDatabase(name);
      if (!parsed || file.IsFolder()) {
        ThrowUnknown(file.path());
      }
      if (parsed->kind == DumpFileKind::kDocuments) {
        files_.push_back({database, name, parsed->packed, file.Version()});
        contents.AddDocuments(
            database, parsed->collection, files_.size() - 1, 0, files_.back().version.size);
        continue;
      }
      const std::string text = ReadText(file, parsed->packed);
      if (parsed->kind == DumpFileKind::kPrelude) {
        contents.SetServerVersion(ReadPrelude(text));
      } else {
        contents.AddMetadata(database, parsed->collection, text);
      }
    }
  }

  void ReadFile(std::size_t stream, const std::stop_token& stop, const Contents::Visit& visit) {
    const File& known = files_[stream];
    const OpenFile file = folder_.Child(known.database).Child(known.name);
    const auto check_version = [&] {
      if (file.Version() != known.version) {
        throw Error(ErrorCode::kConflict, "reading " + file.path() + ": it has changed meanwhile");
      }
    };
    check_version();
    TreeFile content(file, known.packed, stop);
    try {
      ReadDocuments(content.reader(), visit);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCorrupt) {
        throw error.WithContext("reading " + Printable(file.path()));
      }
      throw;
    }
    check_version();
  }

  // Constant after ReadCatalog.
  OpenFile folder_;
  std::vector<File> files_;  // of documents
  Contents::Result result_;
  StreamIndex index_;
};

}  // namespace

std::unique_ptr<DumpSource> MakeTreeSource(OpenFile folder) {
  return std::make_unique<TreeSource>(std::move(folder));
}

}  // namespace tidemark::dump
