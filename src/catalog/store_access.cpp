// Organizations and projects.
#include "catalog/internal/sqlite_store.h"

namespace tidemark::catalog {
namespace {

// A list argument of any length for `IN (SELECT value FROM json_each(?))`: one text for one
// statement.
template <class Id>
std::string JsonArray(const std::vector<Id>& ids) {
  std::string array = "[";
  for (const Id& id : ids) {
    array += (array.size() > 1 ? ",\"" : "\"") + id.ToString() + "\"";
  }
  return array + "]";
}

domain::Project ReadProject(const Query& row) {
  domain::Project project;
  row.Read(project.id, project.organization, project.name, project.created);
  return project;
}

}  // namespace

void SqliteStore::AddOrganization(const domain::Organization& organization) {
  OrConflict("cannot add organization '" + organization.name + "': there is one of that name", [&] {
    RunAlone(pool_,
             "INSERT INTO organizations (id, name) VALUES (?1, ?2)",
             organization.id,
             organization.name);
  });
}

std::optional<domain::Organization> SqliteStore::FindOrganization(const OrganizationId& id) {
  const Reader reader(pool_);
  const auto read = [](const Query& row) {
    domain::Organization organization;
    row.Read(organization.id, organization.name);
    return organization;
  };
  return FindRow(reader, read, "SELECT id, name FROM organizations WHERE id = ?1", id);
}

void SqliteStore::AddProject(const domain::Project& project) {
  OrConflict("cannot add project '" + project.name + "': its organization has one of that name",
             [&] {
               RunAlone(pool_,
                        "INSERT INTO projects (id, organization, name, created) "
                        "VALUES (?1, ?2, ?3, ?4)",
                        project.id,
                        project.organization,
                        project.name,
                        project.created);
             });
}

std::optional<domain::Project> SqliteStore::FindProject(const ProjectId& id) {
  return projects_.Get(pool_.generation(), id.ToString(), [&] {
    const Reader reader(pool_);
    return FindRow(reader,
                   ReadProject,
                   "SELECT id, organization, name, created FROM projects "
                   "WHERE id = ?1 AND deleted IS NULL",
                   id);
  });
}

domain::Listing<domain::Project> SqliteStore::ListProjects(
    const std::vector<OrganizationId>& organizations,
    const std::vector<ProjectId>& projects,
    const domain::Page& page) {
  const std::string organization_list = JsonArray(organizations);
  const std::string project_list = JsonArray(projects);
  const ReadScope scope(pool_);
  domain::Listing<domain::Project> listing;
  listing.total = CountRows(scope,
                            "SELECT count(*) FROM projects "
                            "WHERE deleted IS NULL AND "
                            "(organization IN (SELECT value FROM json_each(?1)) "
                            "OR id IN (SELECT value FROM json_each(?2)))",
                            organization_list,
                            project_list);
  listing.rows = FindRows(scope,
                          ReadProject,
                          "SELECT id, organization, name, created FROM projects "
                          "WHERE deleted IS NULL AND "
                          "(organization IN (SELECT value FROM json_each(?1)) "
                          "OR id IN (SELECT value FROM json_each(?2))) "
                          "ORDER BY name, id LIMIT ?3 OFFSET ?4",
                          organization_list,
                          project_list,
                          page.size,
                          page.Offset());
  return listing;
}

}  // namespace tidemark::catalog
