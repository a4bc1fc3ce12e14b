#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/codec.h"
#include "tests/support/service_fixture.h"

namespace tidemark::service {
namespace {

using domain::Grant;
using domain::KeyKind;
using domain::Permission;
using domain::Role;

class AccessServiceTest : public ServiceFixture {
 protected:
  Caller Owner() { return {first_.key.key}; }

  Caller KeyWith(const std::vector<Grant>& grants) {
    return {access_->CreateKey(Owner(), KeyKind::kApiKey, "test", grants).key};
  }

  Reason RefusalOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const Refusal& refusal) {
      return refusal.reason();
    }
    ADD_FAILURE() << "nothing was refused";
    return Reason::kKeyNotFound;
  }
};

TEST_F(AccessServiceTest, FirstKeyOwnsTheOrganizationAndItsProjects) {
  EXPECT_THAT(first_.key.key.public_name, testing::MatchesRegex("[a-z]{8}"));
  EXPECT_EQ(access_->RequireProject(Owner(), first_.project.id, Permission::kProjectOwner).name,
            "Project0");
}

TEST_F(AccessServiceTest, DigestKeyGivesTheHa1OfPublicRealmAndPrivateKey) {
  const auto found = access_->FindDigestKey(first_.key.key.public_name);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(
      found->ha1.Reveal(),
      codec::Md5Hex(first_.key.key.public_name + ":MMS Public API:" + first_.key.secret.Reveal()));
}

TEST_F(AccessServiceTest, UnknownRevokedAndServiceAccountNamesHaveNoDigestKey) {
  const auto account = access_->CreateKey(Owner(), KeyKind::kServiceAccount, "ci", {});
  const auto revoked = access_->CreateKey(Owner(), KeyKind::kApiKey, "old", {});
  access_->RevokeKey(Owner(), revoked.key.id);
  EXPECT_FALSE(access_->FindDigestKey("nobodyxx").has_value());
  EXPECT_FALSE(access_->FindDigestKey(account.key.public_name).has_value());
  EXPECT_FALSE(access_->FindDigestKey(revoked.key.public_name).has_value());
}

TEST_F(AccessServiceTest, TokenLivesAnHour) {
  const auto account = access_->CreateKey(
      Owner(), KeyKind::kServiceAccount, "ci", {{Role::kGroupReadOnly, {}, first_.project.id}});
  const auto token = access_->IssueToken(account.key.public_name, account.secret.Reveal());
  ASSERT_TRUE(token.has_value());
  clock_.Advance(std::chrono::minutes(59));
  EXPECT_EQ(access_->FindByToken(token->Reveal())->key.id, account.key.id);
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_FALSE(access_->FindByToken(token->Reveal()).has_value());
}

TEST_F(AccessServiceTest, TokenNeedsTheRightSecretAndItsOwnClientRevokesIt) {
  const auto account = access_->CreateKey(Owner(), KeyKind::kServiceAccount, "ci", {});
  const auto other = access_->CreateKey(Owner(), KeyKind::kServiceAccount, "other", {});
  EXPECT_FALSE(access_->IssueToken(account.key.public_name, "wrong").has_value());
  const auto token = access_->IssueToken(account.key.public_name, account.secret.Reveal());
  const auto foreign = access_->FindClient(other.key.public_name, other.secret.Reveal());
  access_->RevokeToken(foreign.value(), token->Reveal());
  EXPECT_TRUE(access_->FindByToken(token->Reveal()).has_value());
  EXPECT_FALSE(access_->FindClient(account.key.public_name, "wrong").has_value());
  const auto own = access_->FindClient(account.key.public_name, account.secret.Reveal());
  access_->RevokeToken(own.value(), token->Reveal());
  EXPECT_FALSE(access_->FindByToken(token->Reveal()).has_value());
}

TEST_F(AccessServiceTest, ProjectRefusalsAreToldApart) {
  const domain::Project second = access_->CreateProject(Owner(), "Project 1");
  const Caller reader = KeyWith({{Role::kGroupReadOnly, {}, first_.project.id}});
  const ProjectId unknown = ProjectId::Generate(clock_.Now(), random_);
  EXPECT_EQ(RefusalOf([&] { access_->RequireProject(reader, unknown, Permission::kProjectRead); }),
            Reason::kGroupNotFound);
  EXPECT_EQ(
      RefusalOf([&] { access_->RequireProject(reader, second.id, Permission::kProjectRead); }),
      Reason::kUserCannotAccessGroup);
  EXPECT_EQ(RefusalOf([&] {
              access_->RequireProject(reader, first_.project.id, Permission::kProjectOwner);
            }),
            Reason::kUserUnauthorized);
}

TEST_F(AccessServiceTest, OnlyTheOrganizationOwnerMakesKeysAndOnlyForItsOwnProjects) {
  const Caller owner_of_project = KeyWith({{Role::kGroupOwner, {}, first_.project.id}});
  EXPECT_EQ(RefusalOf([&] { access_->CreateKey(owner_of_project, KeyKind::kApiKey, "x", {}); }),
            Reason::kUserUnauthorized);
  const Grant foreign{Role::kGroupOwner, {}, ProjectId::Generate(clock_.Now(), random_)};
  EXPECT_EQ(RefusalOf([&] { access_->CreateKey(Owner(), KeyKind::kApiKey, "x", {foreign}); }),
            Reason::kInvalidValue);
}

TEST_F(AccessServiceTest, OwnerOfOneOrganizationAdministersNoOther) {
  const auto other = access_->CreateOrganization(Owner(), "Other");
  const Caller theirs{other.key.key};
  EXPECT_EQ(other.key.key.organization, other.organization.id);
  EXPECT_EQ(RefusalOf([&] { access_->FindKey(theirs, first_.key.key.id); }), Reason::kKeyNotFound);
  EXPECT_EQ(RefusalOf([&] { access_->RevokeKey(theirs, first_.key.key.id); }),
            Reason::kKeyNotFound);
  EXPECT_EQ(RefusalOf([&] { access_->UpdateKey(theirs, first_.key.key.id, {}); }),
            Reason::kKeyNotFound);
  EXPECT_EQ(RefusalOf([&] { access_->DeleteProject(theirs, first_.project.id); }),
            Reason::kGroupNotFound);
  EXPECT_EQ(access_->ListProjects(theirs, {}).total, 0);
  access_->CreateProject(theirs, "Project0");  // unique in its organization only
  EXPECT_EQ(access_->ListProjects(Owner(), {}).total, 1);
}

TEST_F(AccessServiceTest, LostOwnerIsReplacedByTheDataDirectorysHolder) {
  const auto made = access_->MakeOwnerKey(first_.project.id);
  EXPECT_TRUE(access_->FindDigestKey(made.key.public_name).has_value());
  access_->CreateProject({made.key}, "Project 1");
  EXPECT_EQ(RefusalOf([&] { access_->MakeOwnerKey(ProjectId()); }), Reason::kGroupNotFound);
}

TEST_F(AccessServiceTest, ProjectsAreListedForTheKeysThatReachThem) {
  const domain::Project second = access_->CreateProject(Owner(), "Project 1");
  const Caller reader = KeyWith({{Role::kGroupReadOnly, {}, second.id}});
  EXPECT_EQ(access_->ListProjects(Owner(), {}).total, 2);
  const auto seen = access_->ListProjects(reader, {});
  ASSERT_EQ(seen.total, 1);
  EXPECT_EQ(seen.rows[0].id, second.id);
  EXPECT_EQ(RefusalOf([&] { access_->CreateProject(Owner(), "Project 1"); }), Reason::kNameTaken);
}

}  // namespace
}  // namespace tidemark::service
