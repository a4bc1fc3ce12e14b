// A snapshot of a repository as a file for other tools, without catalog and server.
#include "repo_export.h"

#include <algorithm>
#include <thread>

#include <fmt/core.h>
#include <unistd.h>

#include "archive/archive.h"
#include "base/error.h"
#include "base/file.h"
#include "output.h"
#include "shown_run.h"

namespace tidemark::app {
namespace {

constexpr std::size_t kPiece = 1U << 20;  // bytes read and written at once
constexpr unsigned kFileMode = 0600;      // it holds what the cluster holds

struct ExportOptions {
  std::shared_ptr<const RepositoryPlace> place;
  std::string snapshot;
  std::string format = "tar.gz";
  std::string file;
  std::string folder = "dump";
  int threads = 0;  // 0 = one for each processor
  bool relaxed = false;
};

archive::ArchiveOptions ArchiveOptionsOf(const ExportOptions& options,
                                         const repo::Manifest& manifest) {
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  const auto format = archive::ParseArchiveFormat(options.format);
  if (!format) {
    throw Error(ErrorCode::kInvalidArgument,
                "exporting: there is no format " + options.format,
                "the formats are tar.gz, archive, archive.gz and json");
  }
  archive::ArchiveOptions archive;
  archive.format = *format;
  archive.json = options.relaxed ? bson::JsonForm::kRelaxed : bson::JsonForm::kCanonical;
  archive.top_directory = options.folder;
  archive.time = manifest.created;
  archive.threads = options.threads > 0 ? options.threads : std::clamp(processors, 1, 64);
  return archive;
}

// What takes the archive's bytes.
using Sink = std::function<void(ByteView)>;

std::uint64_t Copy(archive::ArchiveReader& from, const Sink& sink, const ProgressReport& report) {
  Bytes piece(kPiece);
  engine::Progress progress{.phase = "packing"};
  while (const std::size_t size = from.Read(piece)) {
    sink(ByteView(piece).first(size));
    progress.bytes_done += size;
    report(progress);
  }
  return progress.bytes_done;
}

void ExportToOutput(repo::SnapshotReader& reader,
                    const repo::Manifest& manifest,
                    const archive::ArchiveOptions& options) {
  if (isatty(STDOUT_FILENO) != 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "exporting: an archive is nothing for a terminal",
                "name a file with -o FILE, or pipe it into another program");
  }
  const auto archive = archive::OpenArchive(reader, manifest, options);
  Copy(
      *archive,
      [](ByteView bytes) { WriteToDescriptor(STDOUT_FILENO, bytes, "standard output"); },
      [](const engine::Progress&) {});
}

void ExportToFile(repo::SnapshotReader& reader,
                  const repo::Manifest& manifest,
                  const archive::ArchiveOptions& options,
                  const std::string& path,
                  OutputFormat output) {
  std::uint64_t bytes = 0;
  RunShown(output, [&](const std::stop_token& stop, const ProgressReport& report) {
    FileWriter file(path, kFileMode);
    const auto archive = archive::OpenArchive(reader, manifest, options, 0, nullptr, stop);
    bytes = Copy(*archive, [&](ByteView piece) { file.Write(piece); }, report);
    file.Commit();
  });
  PrintObject(output,
              {{"snapshot", manifest.snapshot.ToString()},
               {"state", "COMPLETED"},
               {"file", path},
               {"bytes", bytes}});
}

int Export(const ExportOptions& options, OutputFormat output) {
  if (options.relaxed && options.format != "json") {
    throw Error(ErrorCode::kInvalidArgument,
                "exporting: --relaxed is a form of JSON, and the format is " + options.format,
                "add --format json, or leave --relaxed out");
  }
  OpenedRepository repository(*options.place);
  const repo::Manifest manifest = FindManifest(*repository, options.snapshot);
  const auto reader = repository->NewReader(manifest.project);
  const archive::ArchiveOptions archive = ArchiveOptionsOf(options, manifest);
  if (options.file == "-") {
    ExportToOutput(*reader, manifest, archive);
  } else {
    ExportToFile(*reader, manifest, archive, options.file, output);
  }
  return 0;
}

}  // namespace

void AddRepoExport(CLI::App& open,
                   Session& session,
                   const std::shared_ptr<const RepositoryPlace>& place) {
  const auto options = std::make_shared<ExportOptions>();
  options->place = place;
  CLI::App* command =
      open.add_subcommand("export", "Write a snapshot into a file that mongorestore reads");
  command->fallthrough();  // --key may stand behind the subcommand as well
  AddOutputOption(*command, session);
  command->add_option("snapshot", options->snapshot, "the snapshot's id")->required();
  command
      ->add_option("--format",
                   options->format,
                   "tar.gz (a mongodump tree), archive, archive.gz (mongodump --archive) or json "
                   "(one document a line, as tar.gz)")
      ->capture_default_str();
  command->add_option("-o,--file", options->file, "the new file; - for standard output")
      ->required();
  command->add_option("--folder", options->folder, "the one folder that a tar holds")
      ->capture_default_str();
  command->add_option("--threads", options->threads, "that compress (default: all processors)")
      ->check(CLI::Range(1, 64));
  command->add_flag("--relaxed", options->relaxed, "JSON with plain numbers and dates");
  command->footer(
      "Example: tidemark repo open /mnt/copy/repo --key master.key export "
      "32b6e34b3d91647abb20e7b9 -o shop.tar.gz && tar xzf shop.tar.gz && mongorestore dump/");
  command->callback([&session, options] {
    session.run = [&session, options] { return Export(*options, session.output); };
  });
}

}  // namespace tidemark::app
