#include "service/master_key.h"

#include <iostream>

#include <fmt/core.h>

#include "command.h"
#include "data_directory.h"
#include "key_file.h"
#include "output.h"
#include "repo/key_export.h"
#include "repo/key_rotation.h"

namespace tidemark::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPassphrase = 4096;  // bytes
constexpr unsigned kExportMode = 0600;

struct MasterKeyOptions {
  std::string data_dir = "./tidemark-data";
  std::string passphrase_file;
  std::string file;
};

using SharedOptions =
    std::shared_ptr<MasterKeyOptions>;  // shared by the parser's bindings and the actions

void RequireDataDirectory(const fs::path& path) {
  if (!fs::exists(DataDirectory::RepositoryFolder(path))) {
    throw Error(ErrorCode::kNotFound,
                "opening the data directory " + path.string() + ": it has no repository",
                "put a copy of the repository at " +
                    DataDirectory::RepositoryFolder(path).string() + " first");
  }
}

// What a rotation works on.
struct Parts {
  blob::BlobStore& blobs;
  catalog::Store& store;
  RandomSource& random;
};

// A rotation that begins keeps servers from starting: it must be able to end.
void CheckCurrentKey(const Parts& parts, const repo::MasterKey& current) {
  repo::Repository::Open(parts.blobs, current, parts.random);
  service::ResealSecrets(parts.store, current, current, parts.random);  // opens every one
}

// The key that an unfinished rotation has begun with, or else a new one.
repo::MasterKey NextKey(const fs::path& file, const repo::MasterKey& current, const Parts& parts) {
  if (!fs::exists(file)) {
    CheckCurrentKey(parts, current);
    CreateKeyFile(file, MakeMasterKey(parts.random));
  }
  return ReadKeyFile(file);
}

void ReplaceKeyFile(const fs::path& path) {
  std::error_code error;
  fs::rename(DataDirectory::NextKeyFile(path), DataDirectory::KeyFile(path), error);
  if (error) {
    ThrowErrno(error.value(), "renaming", DataDirectory::NextKeyFile(path).string());
  }
  SyncDirectory(path);
}

// Before the last step: a rotation that is cut there is told twice rather than not at all.
void WriteAuditRow(catalog::AuditLog& audit) {
  domain::AuditEntry entry;
  entry.at = SystemClock().Now();
  entry.actor = domain::kSystemActor;
  entry.operation = "masterKeyRotated";
  audit.AppendAudit(entry);
}

// Each step may be cut and is then repeated. Until the last one the new key lies beside the old,
// and a server does not start: between the steps catalog and repository need different keys.
int Rotate(const MasterKeyOptions& options, OutputFormat output) {
  const fs::path path = options.data_dir;
  RequireDataDirectory(path);
  SystemRandom random;
  const FileLock lock = DataDirectory::Lock(path);
  const repo::MasterKey current = ReadKeyFile(DataDirectory::KeyFile(path));
  const auto blobs = blob::OpenDirectoryStore(DataDirectory::RepositoryFolder(path));
  const auto store = catalog::OpenSqliteStore({.path = DataDirectory::CatalogFile(path)});
  const repo::MasterKey next =
      NextKey(DataDirectory::NextKeyFile(path), current, {*blobs, *store, random});
  const std::size_t projects = repo::AddMasterKey(*blobs, current, next, random);
  const std::int64_t secrets = service::ResealSecrets(*store, current, next, random);
  repo::RetireOtherMasterKeys(*blobs, next);
  WriteAuditRow(*store);
  ReplaceKeyFile(path);
  PrintObject(output, {{"projects", projects}, {"secrets", secrets}});
  if (output == OutputFormat::kTable) {
    fmt::print(
        "{} has a new master key; the old one opens nothing here any more.\n"
        "Keep the file somewhere else as well, and export it anew if you keep exports.\n",
        path.string());
  }
  return 0;
}

// "-" is standard input. One newline at the end does not count.
Secret ReadPassphrase(const std::string& file) {
  std::string text;
  if (file == "-") {
    std::getline(std::cin, text);
  } else {
    text = AsText(ReadFile(file, kMaxPassphrase));
    text.erase(text.ends_with('\n') ? text.size() - 1 : text.size());
  }
  Secret passphrase(std::move(text));
  if (passphrase.empty() || passphrase.Reveal().size() > kMaxPassphrase) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the passphrase from " + file + ": it is empty or too long");
  }
  return passphrase;
}

// Only reads: may run beside a server.
int Export(const MasterKeyOptions& options, OutputFormat output) {
  const fs::path path = options.data_dir;
  RequireDataDirectory(path);
  const Secret passphrase = ReadPassphrase(options.passphrase_file);
  SystemRandom random;
  const auto blobs =
      blob::OpenDirectoryStoreForReading(DataDirectory::RepositoryFolder(path).string());
  const repo::KeyExport keys = repo::CollectKeys(*blobs, ReadKeyFile(DataDirectory::KeyFile(path)));
  CreateFileDurably(options.file, repo::SealKeyExport(keys, passphrase, random), kExportMode);
  // What is needed on the worst day is tried on the day it is made.
  repo::OpenKeyExport(ReadFile(options.file, repo::kMaxExportSize), passphrase);
  PrintObject(
      output,
      {{"file", options.file}, {"repository", keys.repository}, {"keys", keys.blobs.size()}});
  return 0;
}

// Whether it was written.
bool RestoreKeyFile(const fs::path& file, const repo::MasterKey& key) {
  if (!fs::exists(file)) {
    CreateKeyFile(file, key);
    return true;
  }
  if (ReadKeyFile(file) != key) {
    throw Error(ErrorCode::kConflict,
                "importing keys: " + file.string() + " holds another master key",
                "move that file away when the export's key is the right one");
  }
  return false;
}

int Import(const MasterKeyOptions& options, OutputFormat output) {
  const fs::path path = options.data_dir;
  RequireDataDirectory(path);
  const FileLock lock = DataDirectory::Lock(path);
  const Secret passphrase = ReadPassphrase(options.passphrase_file);
  const repo::KeyExport keys =
      repo::OpenKeyExport(ReadFile(options.file, repo::kMaxExportSize), passphrase);
  const auto blobs = blob::OpenDirectoryStore(DataDirectory::RepositoryFolder(path));
  const repo::KeyImport done = repo::ImportKeys(*blobs, keys);
  const bool wrote_key = RestoreKeyFile(DataDirectory::KeyFile(path), keys.master_key);
  PrintObject(output,
              {{"masterKey", wrote_key ? "written" : "present"},
               {"written", done.written},
               {"present", done.present},
               {"skipped", done.skipped}});
  return 0;
}

CLI::App* AddCommand(CLI::App& parent,
                     const char* name,
                     const char* help,
                     Session& session,
                     const SharedOptions& options) {
  CLI::App* command = parent.add_subcommand(name, help);
  AddEnvironmentOption(
      *command, "--data-dir", options->data_dir, "TIDEMARK_DATA_DIR", "the data directory");
  AddOutputOption(*command, session);
  return command;
}

void AddFileOptions(CLI::App& command, const SharedOptions& options) {
  command.add_option("file", options->file, "the export file")->required();
  command
      .add_option("--passphrase-file",
                  options->passphrase_file,
                  "file with the passphrase; - reads a line of standard input")
      ->required();
}

}  // namespace

void AddMasterKey(CLI::App& app, Session& session) {
  const auto options = std::make_shared<MasterKeyOptions>();
  CLI::App* master_key =
      app.add_subcommand("master-key", "The key that opens a data directory's repository");
  master_key->require_subcommand(1);

  CLI::App* rotate = AddCommand(*master_key,
                                "rotate",
                                "Change the master key; the server must not be running. When it "
                                "was cut, run it again",
                                session,
                                options);
  rotate->footer("Example: tidemark master-key rotate --data-dir /var/lib/tidemark");
  rotate->callback([&session, options] {
    session.run = [&session, options] { return Rotate(*options, session.output); };
  });

  CLI::App* make = AddCommand(*master_key,
                              "export",
                              "Write the master key and all project keys into one encrypted file",
                              session,
                              options);
  AddFileOptions(*make, options);
  make->footer(
      "Example: tidemark master-key export /mnt/usb/keys.tidemark --passphrase-file - --data-dir "
      "/var/lib/tidemark");
  make->callback([&session, options] {
    session.run = [&session, options] { return Export(*options, session.output); };
  });

  CLI::App* import = AddCommand(
      *master_key, "import", "Put back the keys of an export that are missing", session, options);
  AddFileOptions(*import, options);
  import->footer(
      "Example: tidemark master-key import /mnt/usb/keys.tidemark --passphrase-file - --data-dir "
      "/var/lib/tidemark");
  import->callback([&session, options] {
    session.run = [&session, options] { return Import(*options, session.output); };
  });
}

}  // namespace tidemark::app
