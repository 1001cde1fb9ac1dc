//! `/problems/{id}`: what a problem of the APIs (RFC 9457) means and what to do next.

use actix_web::web;

use crate::node::{Problem, ProblemKind};
use crate::web::html::frame::Frame;
use crate::web::html::{page, three_texts};
use crate::web::portal::page::{Page, PageResult};
use crate::web::portal::page_error::Explanation;
use crate::web::problem::{FailingSide, ProblemTopic};

/// The page of one problem type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemView {
    pub(crate) topic: ProblemTopic,
}

/// `GET /problems/{slug}`.
pub(crate) async fn show(page: Page, slug: web::Path<String>) -> PageResult {
    let topic = ProblemTopic::from_slug(&slug).ok_or(Problem::new(ProblemKind::NotFound))?;
    page.show_public(&ProblemView { topic })
}

impl Frame<'_> {
    /// Title, meaning and next step.
    pub(crate) fn explain_problem(&self, topic: &ProblemTopic) -> Explanation {
        let t = &self.t;
        let (title, happened, next) = three_texts!(t, match topic => {
            ProblemTopic::InvalidRequest => (problem_invalid_request_title, problem_invalid_request_meaning, problem_invalid_request_next),
            ProblemTopic::NotAuthenticated => (problem_not_authenticated_title, problem_not_authenticated_meaning, problem_not_authenticated_next),
            ProblemTopic::NotAllowed => (problem_not_allowed_title, problem_not_allowed_meaning, problem_not_allowed_next),
            ProblemTopic::NotFound => (problem_not_found_title, problem_not_found_meaning, problem_not_found_next),
            ProblemTopic::Conflict => (problem_conflict_title, problem_conflict_meaning, problem_conflict_next),
            ProblemTopic::TooLarge => (problem_too_large_title, problem_too_large_meaning, problem_too_large_next),
            ProblemTopic::TooManyRequests => (problem_too_many_requests_title, problem_too_many_requests_meaning, problem_too_many_requests_next),
            ProblemTopic::PermissionWaiting => (problem_permission_waiting_title, problem_permission_waiting_meaning, problem_permission_waiting_next),
            ProblemTopic::PermissionDeclined => (problem_permission_declined_title, problem_permission_declined_meaning, problem_permission_declined_next),
            ProblemTopic::PermissionSuspended => (problem_permission_suspended_title, problem_permission_suspended_meaning, problem_permission_suspended_next),
            ProblemTopic::PermissionEnded => (problem_permission_ended_title, problem_permission_ended_meaning, problem_permission_ended_next),
            ProblemTopic::ConfirmationNeeded => (problem_confirmation_needed_title, problem_confirmation_needed_meaning, problem_confirmation_needed_next),
            ProblemTopic::UseNotDeclared => (problem_use_not_declared_title, problem_use_not_declared_meaning, problem_use_not_declared_next),
            ProblemTopic::NotMember => (problem_not_a_member_title, problem_not_a_member_meaning, problem_not_a_member_next),
            ProblemTopic::ExchangeRefused => (problem_exchange_refused_title, problem_exchange_refused_meaning, problem_exchange_refused_next),
            ProblemTopic::AnswerRefused => (problem_answer_refused_title, problem_answer_refused_meaning, problem_answer_refused_next),
            ProblemTopic::HolderUnavailable => (problem_holder_unavailable_title, problem_holder_unavailable_meaning, problem_holder_unavailable_next),
            ProblemTopic::RegisterUnavailable => (problem_register_unavailable_title, problem_register_unavailable_meaning, problem_register_unavailable_next),
            ProblemTopic::ProviderUnavailable => (problem_provider_unavailable_title, problem_provider_unavailable_meaning, problem_provider_unavailable_next),
            ProblemTopic::Unavailable => (problem_unavailable_title, problem_unavailable_meaning, problem_unavailable_next),
            ProblemTopic::OutcomeUnknown => (problem_outcome_unknown_title, problem_outcome_unknown_meaning, problem_outcome_unknown_next),
            ProblemTopic::Internal => (problem_internal_title, problem_internal_meaning, problem_internal_next),
        });
        Explanation { title: title.to_string(), happened: happened.to_string(), next: next.to_string() }
    }

    pub(crate) fn side(&self, topic: &ProblemTopic) -> String {
        let t = &self.t;
        match topic.side() {
            FailingSide::Caller => t.side_caller(),
            FailingSide::Resident => t.side_resident(),
            FailingSide::Recipient => t.side_recipient(),
            FailingSide::Holder => t.side_holder(),
            FailingSide::Register => t.side_register(),
            FailingSide::Provider => t.side_provider(),
            FailingSide::Node => t.side_node(),
        }
        .to_string()
    }
}

page!(ProblemView, "problem.html");
