#include "exporter/export.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "archive/lines.h"
#include "base/error.h"
#include "bson/extended_json.h"
#include "exporter/object_keys.h"

namespace tidemark::exporter {
namespace {

// How far an export is. Everything before the namespace of number `next` is in the bucket.
struct Position {
  std::uint64_t next = 0;
  ExportSummary done;
};

std::string Encode(const Position& position) {
  return fmt::format("1 {} {} {} {}",
                     position.next,
                     position.done.files,
                     position.done.documents,
                     position.done.bytes);
}

// A checkpoint of another version, or none: from the beginning.
Position Decode(std::string_view text) {
  std::vector<std::uint64_t> numbers;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc() || end != word.data() + word.size()) {
      return {};
    }
    numbers.push_back(number);
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  if (numbers.size() != 5 || numbers[0] != 1) {
    return {};
  }
  return {.next = numbers[1],
          .done = {.files = numbers[2], .documents = numbers[3], .bytes = numbers[4]}};
}

// Names of members as they stand; values are rendered already.
std::string RenderComplete(const ExportFacts& facts, std::uint64_t files) {
  std::string json = "{";
  const auto text = [&json](std::string_view name, std::string_view value) {
    json += fmt::format("\"{}\":", name);
    bson::AppendJsonString(value, json);
    json += ',';
  };
  text("orgId", facts.organization_id);
  text("orgName", facts.organization_name);
  text("groupId", facts.project_id);
  text("groupName", facts.project_name);
  text("clusterUniqueId", facts.cluster_id);
  text("clusterName", facts.cluster_name);
  text("snapshotInitiationDate", FormatInstant(facts.snapshot_time));
  json += fmt::format("\"totalFiles\":{},\"labels\":[]", files);
  if (!facts.custom_data.empty()) {
    json += ",\"customData\":" + facts.custom_data;
  }
  return json + "}";
}

class Exporter {
 public:
  Exporter(const repo::Manifest& manifest,
           repo::SnapshotReader& reader,
           objectstore::Bucket& bucket,
           const ExportOptions& options,
           const engine::RunContext& context)
      : reader_(reader),
        bucket_(bucket),
        options_(options),
        context_(context),
        position_(Decode(context.checkpoint)),
        resumed_(!context.checkpoint.empty()) {
    for (const repo::NamespaceEntry& entry : manifest.namespaces) {
      order_.push_back(&entry);
      progress_.documents_total += entry.digest.documents;
    }
    std::ranges::sort(order_, {}, [](const repo::NamespaceEntry* entry) {
      return std::tie(entry->database, entry->collection);
    });
    progress_.phase = "exporting";
    progress_.collections_total = order_.size();
  }

  ExportSummary Run() {
    CheckPermission(bucket_, context_.stop);
    DropUploads();
    Save();  // from here on what is in the bucket may be ours
    for (std::uint64_t i = position_.next; i < order_.size(); ++i) {
      WriteNamespace(*order_[i]);
      resumed_ = false;
      position_.next = i + 1;
      Save();
    }
    WriteComplete();
    return position_.done;
  }

 private:
  // One that could not be read back may be there all the same: a failed export must not look like
  // one that went well.
  void WriteComplete() {
    const std::string key = CompleteKey(options_.prefix);
    try {
      // Not counted by Atlas: the file itself.
      Put(key, RenderComplete(options_.facts, position_.done.files));
    } catch (const Error&) {
      if (!context_.stop.stop_requested()) {  // else whoever goes on writes it again
        Remove(key);
      }
      throw;
    }
  }

  void Remove(const std::string& key) {
    try {
      bucket_.Delete(key, context_.stop);
    } catch (const Error& error) {
      context_.log.Warn("key={}  removing it failed, it may be there: {}", key, error.message());
    }
  }

  // Only what costs its owner money is lost when it cannot be done.
  void DropUploads() {
    try {
      bucket_.DropUploads(options_.prefix, context_.stop);
    } catch (const Error& error) {
      if (context_.stop.stop_requested()) {
        throw;
      }
      context_.log.Warn(
          "prefix={}  looking for abandoned uploads failed: {}", options_.prefix, error.message());
    }
  }

  void Save() {
    if (context_.save_checkpoint) {
      context_.save_checkpoint(Encode(position_));
    }
    progress_.collections_done = position_.next;
    Report();
  }

  void Report() {
    progress_.documents_done = position_.done.documents;
    progress_.bytes_done = position_.done.bytes;
    if (context_.on_progress) {
      context_.on_progress(progress_);
    }
  }

  void Put(const std::string& key, const std::string& text) {
    bucket_.Put(key, AsBytes(text), context_.stop);
  }

  void WriteNamespace(const repo::NamespaceEntry& entry) {
    const std::string metadata = archive::MetadataJson(entry);
    Put(MetadataKey(options_.prefix, entry.database, entry.collection), metadata);
    ++position_.done.files;
    position_.done.bytes += metadata.size();
    std::uint32_t part = 0;
    std::unique_ptr<objectstore::Upload> upload;
    std::uint64_t written = 0;
    const auto finish = [&] {
      position_.done.bytes += upload->Finish().size;
      ++position_.done.files;
      upload.reset();
      ++part;
      Report();
    };
    archive::PackLines(reader_,
                       entry,
                       bson::JsonForm::kCanonical,
                       context_.stop,
                       [&](const archive::PackedLines& lines) {
                         if (!upload) {
                           upload = bucket_.Begin(KeyOf(entry, part), context_.stop);
                           written = 0;
                         }
                         upload->Write(lines.member);
                         written += lines.member.size();
                         position_.done.documents += lines.documents;
                         Report();
                         if (written >= options_.object_size.value) {
                           finish();
                         }
                       });
    // Only now: PackLines has found the documents to be the snapshot's.
    if (upload) {
      finish();
    }
    DropRest(entry, part);
  }

  // What an interrupted run has written of the namespace beyond what it has now: another version
  // may have cut it otherwise.
  void DropRest(const repo::NamespaceEntry& entry, std::uint32_t part) {
    while (resumed_ && bucket_.Exists(KeyOf(entry, part), context_.stop)) {
      bucket_.Delete(KeyOf(entry, part), context_.stop);
      ++part;
    }
  }

  std::string KeyOf(const repo::NamespaceEntry& entry, std::uint32_t part) const {
    return DocumentsKey(
        options_.prefix, entry.database, entry.collection, options_.shard_name, part);
  }

  repo::SnapshotReader& reader_;
  objectstore::Bucket& bucket_;
  const ExportOptions& options_;
  const engine::RunContext& context_;
  Position position_;
  bool resumed_;                                    // the next namespace may have been begun before
  std::vector<const repo::NamespaceEntry*> order_;  // by database, then collection
  engine::Progress progress_;
};

}  // namespace

void CheckPermission(objectstore::Bucket& bucket, const std::stop_token& stop) {
  bucket.Put(std::string(kPermissionCheck), {}, stop);
}

ExportSummary RunExport(const repo::Manifest& manifest,
                        repo::SnapshotReader& reader,
                        objectstore::Bucket& bucket,
                        const ExportOptions& options,
                        const engine::RunContext& context) {
  return Exporter(manifest, reader, bucket, options, context).Run();
}

}  // namespace tidemark::exporter
