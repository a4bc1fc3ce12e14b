#include "dump/internal/tar_tree.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "dump/internal/limits.h"
#include "dump/internal/names.h"

namespace tidemark::dump {
namespace {

constexpr std::size_t kMaxMembers = 2 * kMaxNamespaces + kMaxDatabases;
constexpr std::size_t kMaxAllPaths = 64U << 20;  // bytes
constexpr std::size_t kMaxParts = 3;             // folder, database, file

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t slash = path.find('/');
    parts.emplace_back(path.substr(0, slash));
    if (slash == std::string_view::npos) {
      return parts;
    }
    path.remove_prefix(slash + 1);
  }
}

[[noreturn]] void ThrowUnknown(std::string_view path) {
  throw Error(ErrorCode::kUnsupported,
              "reading the tar: \"" + Printable(path) + "\" is nothing that mongodump writes",
              "a dump's folder holds its databases' folders with .bson and .metadata.json files");
}

// The text of a metadata or prelude file, which may be packed.
std::string ReadText(ByteStream& stream, bool packed) {
  UnpackedStream unpacked(stream);
  ByteStream& plain = packed ? static_cast<ByteStream&>(unpacked) : stream;
  std::string text;
  Bytes piece(64U << 10U);
  while (const std::size_t count = plain.Read(piece)) {
    if (text.size() + count > kMaxMetadata) {
      throw Error(ErrorCode::kResourceExhausted, "the metadata are larger than 16 MiB");
    }
    text += AsText(ByteView(piece).first(count));
  }
  return text;
}

// Which folder is the top one shows only when all members are known.
class TarTree {
 public:
  TarTree(ByteReader& reader, Spool& spool) : tar_(reader), spool_(spool) {}

  void Read() {
    while (const std::optional<TarMember> member = tar_.Next()) {
      if (member->path.empty()) {
        continue;
      }
      CountMember(*member);
      std::vector<std::string> parts = Split(member->path);
      if (member->folder) {
        AddFolder(member->path, std::move(parts));
      } else {
        AddFile(*member, std::move(parts));
      }
    }
  }

  void PutInto(Contents& contents) {
    const std::optional<std::string> top = FindTop();
    for (std::vector<std::string>& folder : folders_) {
      if (top ? folder.size() == 2 : folder.size() == 1) {
        contents.AddDatabase(folder.back());
      }
    }
    for (File& file : files_) {
      if (top && file.parts.front() == *top) {
        file.parts.erase(file.parts.begin());
      } else if (top) {
        ThrowUnknown(file.path);
      }
      PutFile(file, contents);
    }
  }

 private:
  struct File {
    std::string path;
    std::vector<std::string> parts;
    std::optional<std::size_t> stream;  // of documents
    std::string text;                   // of metadata and preludes
  };

  void CountMember(const TarMember& member) {
    paths_size_ += member.path.size();
    if (++members_ > kMaxMembers || paths_size_ > kMaxAllPaths) {
      throw Error(ErrorCode::kResourceExhausted,
                  "reading the tar: more than " + std::to_string(kMaxMembers) +
                      " members, or names of more than 64 MiB");
    }
  }

  void AddFolder(const std::string& path, std::vector<std::string> parts) {
    if (parts.size() > kMaxParts - 1) {
      ThrowUnknown(path);
    }
    folders_.push_back(std::move(parts));
  }

  void AddFile(const TarMember& member, std::vector<std::string> parts) {
    if (parts.size() > kMaxParts) {
      ThrowUnknown(member.path);
    }
    if (!seen_.insert(member.path).second) {
      throw Error(ErrorCode::kCorrupt,
                  "reading the tar: \"" + Printable(member.path) + "\" is there twice");
    }
    File file{.path = member.path, .parts = std::move(parts)};
    try {
      ReadFile(file);
    } catch (const Error& error) {
      throw error.WithContext("reading \"" + Printable(member.path) + "\" of the tar");
    }
    files_.push_back(std::move(file));
  }

  void ReadFile(File& file) {
    const std::string& name = file.parts.back();
    const std::optional<DumpFileName> beside = ParseFileBesideDatabases(name);
    if (beside && beside->kind == DumpFileKind::kOplog) {
      return;  // passed over; it may be packed without saying so
    }
    const std::optional<DumpFileName> parsed = ParseFileInDatabase(name);
    if (!parsed) {
      ThrowUnknown(file.path);
    }
    if (parsed->kind == DumpFileKind::kDocuments) {
      file.stream = ReadCollection(parsed->packed);
      return;
    }
    file.text = ReadText(tar_, parsed->packed);
    texts_size_ += file.text.size();
    if (texts_size_ > kMaxAllMetadata) {
      throw Error(ErrorCode::kResourceExhausted, "the tar has more than 128 MiB of metadata");
    }
  }

  std::size_t ReadCollection(bool packed) {
    const std::size_t stream = spool_.AddStream();
    UnpackedStream unpacked(tar_);
    ByteReader reader(packed ? static_cast<ByteStream&>(unpacked) : tar_);
    ReadDocuments(reader, [&](ByteView document) { spool_.Append(stream, document); });
    return stream;
  }

  static bool IsBesideDatabases(const File& file) {
    return ParseFileBesideDatabases(file.parts.back()).has_value();
  }

  // A file three deep or a folder two deep shows one; else one folder that holds nothing but what
  // stands beside databases is one too: the dump of an empty server.
  std::optional<std::string> FindTop() const {
    for (const File& file : files_) {
      if (file.parts.size() == kMaxParts) {
        return file.parts.front();
      }
    }
    for (const std::vector<std::string>& folder : folders_) {
      if (folder.size() == 2) {
        return folder.front();
      }
    }
    const bool all_beside = std::ranges::all_of(files_, [this](const File& file) {
      return file.parts.size() == 2 && IsBesideDatabases(file) &&
             file.parts.front() == files_.front().parts.front();
    });
    return files_.empty() || !all_beside ? std::nullopt
                                         : std::optional(files_.front().parts.front());
  }

  void PutFile(const File& file, Contents& contents) const {
    const bool beside = file.parts.size() == 1;
    if (file.parts.empty() || file.parts.size() > 2) {
      ThrowUnknown(file.path);
    }
    const std::optional<DumpFileName> name =
        beside ? ParseFileBesideDatabases(file.parts[0]) : ParseFileInDatabase(file.parts[1]);
    if (!name) {
      ThrowUnknown(file.path);
    }
    switch (name->kind) {
      case DumpFileKind::kOplog:
        contents.NoteOplog();
        return;
      case DumpFileKind::kPrelude:
        contents.SetServerVersion(ReadPrelude(file.text));
        return;
      case DumpFileKind::kMetadata:
        contents.AddMetadata(file.parts[0], name->collection, file.text);
        return;
      case DumpFileKind::kDocuments:
        PutDocuments(file, name->collection, contents);
        return;
    }
  }

  void PutDocuments(const File& file, const std::string& name, Contents& contents) const {
    if (!file.stream) {
      throw Error(ErrorCode::kUnsupported,
                  "reading the tar: \"" + Printable(file.path) +
                      "\" may be an oplog or a collection of that name",
                  "put the databases' folders into one folder and make a tar of that");
    }
    contents.AddDocuments(file.parts[0],
                          name,
                          *file.stream,
                          spool_.documents(*file.stream),
                          spool_.bytes(*file.stream));
  }

  TarReader tar_;
  Spool& spool_;
  std::vector<std::vector<std::string>> folders_;
  std::vector<File> files_;
  std::set<std::string> seen_;  // paths of files
  std::size_t members_ = 0;
  std::size_t paths_size_ = 0;
  std::size_t texts_size_ = 0;
};

}  // namespace

void ReadTarTree(ByteReader& reader, Spool& spool, Contents& contents) {
  TarTree tree(reader, spool);
  tree.Read();
  tree.PutInto(contents);
}

}  // namespace tidemark::dump
