#include "engine/repair.h"

#include <algorithm>

#include "engine/check.h"
#include "engine/internal/chunk_healer.h"

namespace tidemark::engine {
namespace {

constexpr std::size_t kMaxLines = 1000;  // of damaged chunks

std::string Range(const Bytes& first_id, const Bytes& end_id) {
  const std::string first = IdText(first_id);
  const std::string end = IdText(end_id);
  if (first.empty() && end.empty()) {
    return {};
  }
  return " from " + (first.empty() ? "its start" : first) + " to " +
         (end.empty() ? "its end" : "before " + end);
}

void AddLine(std::string& text, std::string_view what, std::uint64_t number) {
  if (number > 0) {
    text += std::string(what) + ": " + std::to_string(number) + "\n";
  }
}

// What a plan and a report say of the same.
struct Words {
  std::string_view healed;
  std::string_view lost;
  std::string_view segments;
  std::string_view packs;
  std::string_view lists;
  std::string_view indexed;
  std::string_view copied;
  std::string_view quarantined;
};

constexpr Words kPlanned{.healed = "damaged chunks that can be healed",
                         .lost = "damaged chunks that cannot be healed",
                         .segments = "damaged index segments to replace",
                         .packs = "packs with a damaged footer to leave behind",
                         .lists = "damaged lists of collections and repairs to delete",
                         .indexed = "chunks to index again",
                         .copied = "chunks to copy to new packs",
                         .quarantined = "bad places to put into quarantine"};
constexpr Words kDone{.healed = "damaged chunks healed",
                      .lost = "damaged chunks that stay damaged",
                      .segments = "damaged index segments replaced",
                      .packs = "packs with a damaged footer left behind",
                      .lists = "damaged lists of collections and repairs deleted",
                      .indexed = "chunks indexed again",
                      .copied = "chunks copied to new packs",
                      .quarantined = "bad places put into quarantine"};

}  // namespace

repo::RepairReport RepairRepository(repo::Repository& repository,
                                    const ProjectId& project,
                                    DocumentSource* source,
                                    const RepairOptions& options,
                                    const RunContext& run) {
  const auto report_read = [&run](ByteCount read) {
    if (run.on_progress) {
      run.on_progress({.phase = "reading", .bytes_done = read.value});
    }
  };
  const auto heal = [&](repo::DamagedProject& damaged) {
    ChunkHealer(damaged, source, options, run).HealAll();
  };
  return repository.OpenMaintenance(project)->Repair(
      {.dry_run = options.dry_run, .on_progress = report_read}, heal, run.stop);
}

std::string FormatDamagedChunk(const repo::DamagedChunk& chunk) {
  std::string text = std::string(chunk.healed ? "healed " : "damaged ") +
                     std::string(repo::ChunkKindName(chunk.kind)) + " of " + chunk.use->database +
                     "." + chunk.use->collection + " run " + std::to_string(chunk.use->number) +
                     Range(chunk.first_id, chunk.end_id) + ", in";
  constexpr std::size_t kMaxSnapshots = 3;
  for (std::size_t i = 0; i < std::min(chunk.snapshots.size(), kMaxSnapshots); ++i) {
    text += (i == 0 ? " " : ", ") + chunk.snapshots[i].ToString();
  }
  if (chunk.snapshots.size() > kMaxSnapshots) {
    text += " and " + std::to_string(chunk.snapshots.size() - kMaxSnapshots) + " more";
  }
  return text + ": " + (chunk.outcome.empty() ? chunk.fault : chunk.outcome);
}

std::string FormatRepair(const repo::RepairReport& report) {
  const Words& words = report.dry_run ? kPlanned : kDone;
  std::string text;
  for (const auto& [snapshot, fault] : report.manifests) {
    text += "snapshot " + snapshot.ToString() + " cannot be healed: " + fault + "\n";
  }
  // Those that stay come first.
  for (const bool healed : {false, true}) {
    for (const repo::DamagedChunk& chunk : report.chunks) {
      const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
      if (chunk.healed == healed && lines < kMaxLines) {
        text += FormatDamagedChunk(chunk) + "\n";
      }
    }
  }
  AddLine(text, words.segments, report.segments.size());
  AddLine(text, words.packs, report.packs.size());
  AddLine(text, words.lists, report.lists.size());
  AddLine(text, words.indexed, report.indexed);
  AddLine(text, words.copied, report.copied);
  AddLine(text, words.quarantined, report.quarantined);
  AddLine(text, words.healed, report.healed);
  AddLine(text, words.lost, report.lost);
  AddLine(text, "more damaged chunks; repair again", report.passed_over);
  return text;
}

}  // namespace tidemark::engine
