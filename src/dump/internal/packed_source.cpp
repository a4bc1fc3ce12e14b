#include <optional>
#include <utility>

#include "base/error.h"
#include "dump/internal/archive_reader.h"
#include "dump/internal/byte_stream.h"
#include "dump/internal/contents.h"
#include "dump/internal/sources.h"
#include "dump/internal/spool.h"
#include "dump/internal/tar_tree.h"

namespace tidemark::dump {
namespace {

constexpr std::size_t kTarBlock = 512;  // bytes

bool IsGzip(ByteView begin) {
  return begin.size() >= 2 && begin[0] == 0x1f && begin[1] == 0x8b;
}

bool IsArchive(ByteView begin) {
  return begin.size() >= 4 && LoadLe32(begin.data()) == kArchiveMagic;
}

// Puts what an archive holds into a spool and a list of contents.
class ArchiveSpooler final : public ArchiveSink {
 public:
  ArchiveSpooler(Spool& spool, Contents& contents) : spool_(spool), contents_(contents) {}

  void OnPrelude(const ArchivePrelude& prelude) override {
    prelude_ = prelude;
    contents_.SetServerVersion(prelude.server_version);
    for (std::size_t i = 0; i < prelude.namespaces.size(); ++i) {
      spool_.AddStream();
    }
  }

  void OnDocument(std::size_t index, ByteView document) override {
    if (IsOplog(prelude_.namespaces[index])) {
      OnOplogEntry(document);
    } else {
      spool_.Append(index, document);
    }
  }

  void OnOplogEntry(ByteView) override { contents_.NoteOplog(); }

  // REQUIRES: the archive has been read to its end.
  void PutInto() {
    for (std::size_t i = 0; i < prelude_.namespaces.size(); ++i) {
      const ArchiveNamespace& ns = prelude_.namespaces[i];
      if (IsOplog(ns)) {
        contents_.NoteOplog();
        continue;
      }
      contents_.AddDocuments(ns.database, ns.collection, i, spool_.documents(i), spool_.bytes(i));
      if (!ns.metadata.empty()) {
        contents_.AddMetadata(ns.database, ns.collection, ns.metadata);
      }
    }
  }

 private:
  static bool IsOplog(const ArchiveNamespace& ns) {
    return ns.database.empty() && ns.collection == "oplog";
  }

  Spool& spool_;
  Contents& contents_;
  ArchivePrelude prelude_;
};

class PackedSource final : public DumpSource {
 public:
  PackedSource(OpenFile file, DumpOptions options, RandomSource& random)
      : file_(std::move(file)), options_(std::move(options)), random_(random) {}

  engine::SourceCatalog ReadCatalog() override {
    if (!spool_) {
      const FileVersion version = file_.Version();
      Stage(version.size);
      if (file_.Version() != version) {
        throw Error(ErrorCode::kConflict, "reading " + file_.path() + ": it has changed meanwhile");
      }
    }
    return result_.catalog;
  }

  void Scan(const engine::SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    TIDEMARK_CHECK(spool_.has_value());
    spool_->ForEach(index_.Find(ns), stop, visit);
  }

  std::string_view format() const override { return format_; }

  const std::vector<std::string>& notes() const override { return result_.notes; }

 private:
  void Stage(std::uint64_t size) {
    const auto report = [this, size](std::uint64_t position) {
      if (options_.on_read) {
        options_.on_read({position}, {size});
      }
    };
    FileStream stream(file_, options_.stop, report);
    bool packed = false;
    {
      FileStream begin(file_);
      packed = IsGzip(ByteReader(begin).Peek(2));
    }
    UnpackedStream unpacked(stream);
    ByteReader reader(packed ? static_cast<ByteStream&>(unpacked) : stream);
    Spool spool(options_.spool_folder, random_);
    result_ = ReadAll(reader, spool);
    index_ = StreamIndex(result_.catalog, result_.streams);
    spool_.emplace(std::move(spool));
  }

  Contents::Result ReadAll(ByteReader& reader, Spool& spool) {
    const bool archive = IsArchive(reader.Peek(4));
    if (!archive && !TarReader::LooksLikeOne(reader.Peek(kTarBlock))) {
      throw Error(ErrorCode::kUnsupported,
                  "reading " + file_.path() + ": it is neither a mongodump archive nor a tar",
                  "import what mongodump wrote: a folder, a tar of it, or an archive");
    }
    format_ = archive ? "archive" : "tar";
    Contents contents(archive ? NameForm::kPlain : NameForm::kEscaped);
    if (archive) {
      ArchiveSpooler spooler(spool, contents);
      ReadArchive(reader, spooler);
      spooler.PutInto();
    } else {
      ReadTarTree(reader, spool, contents);
    }
    spool.Finish();
    return contents.Finish([&spool](std::size_t stream, const Contents::Visit& visit) {
      spool.ForEach(stream, {}, visit);
    });
  }

  // Constant after construction, but for what ReadCatalog finds.
  OpenFile file_;
  const DumpOptions options_;
  RandomSource& random_;
  std::string_view format_;
  Contents::Result result_;
  StreamIndex index_;
  std::optional<Spool> spool_;  // when the file has been read
};

}  // namespace

StreamIndex::StreamIndex(const engine::SourceCatalog& catalog,
                         const std::vector<std::optional<std::size_t>>& streams) {
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const engine::SourceNamespace& ns = catalog.namespaces[i];
    if (const std::optional<std::size_t> stream = streams[i]) {
      streams_.emplace(std::pair(ns.database, ns.collection), *stream);
    }
  }
}

std::size_t StreamIndex::Find(const engine::SourceNamespace& ns) const {
  const auto found = streams_.find(std::pair(ns.database, ns.collection));
  if (found == streams_.end()) {
    throw Error(ErrorCode::kNotFound,
                "reading the dump: it has no documents of " + ns.database + "." + ns.collection);
  }
  return found->second;
}

std::unique_ptr<DumpSource> MakePackedSource(OpenFile file,
                                             DumpOptions options,
                                             RandomSource& random) {
  return std::make_unique<PackedSource>(std::move(file), std::move(options), random);
}

}  // namespace tidemark::dump
