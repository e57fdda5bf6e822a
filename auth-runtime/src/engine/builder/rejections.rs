//! How rejections are rendered, and what the OpenAPI document says of that.

use axum::http::request::Parts;
use axum::response::Response;
use mime::Mime;
use serde_json::Value;

use super::AuthBuilder;
use crate::audit::AuditLog;
use crate::engine::Responses;
use crate::error::ConfigErrors;
use crate::login_page::LoginPage;
use crate::rejection::{Rejection, RejectionForm};

impl AuthBuilder {
    /// Renders rejections in the application's own form, from the rejection and the request's head.
    ///
    /// The hook may choose another status of failure (4xx, 5xx), or redirect a browser to the login page (302, 303, 307). Any
    /// other status is replaced by that of the rejection. `WWW-Authenticate` is always the engine's, and is only on 400, 401 and 403:
    /// on a 401 always (RFC 9110 §15.5.2), and never on a 404 that hides a resource, or on a redirect.
    ///
    /// For a [`Rejection`] that the application answers with, the head is a part of the request's: the method, the whole URI, the
    /// version, and the headers `Accept`, `Accept-Language`, `Content-Type`, `Host`, `Origin`, `HX-Request`, `Sec-Fetch-*`,
    /// `traceparent`, `Upgrade`, `X-Request-Id` and `X-Requested-With`; so it is for a check that hides something. These are kept for each
    /// request, because the handler takes the head; without this hook nothing is.
    ///
    /// If the hook panics, the answer is 500 with the standard body, and the panic's message goes to tracing. With
    /// `panic = "abort"` it ends the process.
    pub fn render_rejections(
        mut self,
        hook: impl Fn(&Rejection, &Parts) -> Response + Send + Sync + 'static,
    ) -> Self {
        self.render_hook = Some(Box::new(hook));
        self
    }

    /// Sets what the OpenAPI document says of the bodies that [`render_rejections`](Self::render_rejections) renders: their content type, and
    /// their JSON Schema. Default: nothing, and the document says that rejections have a form of the application's own.
    ///
    /// ```
    /// use auth_runtime::Auth;
    /// use axum::Json;
    /// use axum::response::IntoResponse;
    /// use serde_json::json;
    ///
    /// let builder = Auth::builder()
    ///     .render_rejections(|rejection, _| {
    ///         (rejection.status(), Json(json!({ "detail": rejection.code() }))).into_response()
    ///     })
    ///     .rejection_schema(
    ///         "application/json",
    ///         json!({ "type": "object", "properties": { "detail": { "type": ["string", "null"] } }, "required": ["detail"] }),
    ///     );
    /// ```
    ///
    /// The document has it for 400, 401, 403 and 503: it is for a hook that keeps these statuses. Nothing compares it with what is sent.
    ///
    /// Another schema that it refers to is a [`rejection_component`](Self::rejection_component), or one of the document's own that has this name.
    /// It has no `$defs`: a reference `#/$defs/..` is looked for in the whole document, where it is not.
    pub fn rejection_schema(mut self, content_type: impl Into<String>, schema: Value) -> Self {
        self.rejection_schema = Some((content_type.into(), schema));
        self
    }

    /// Adds a schema that [`rejection_schema`](Self::rejection_schema), or another one of these, refers to by `#/components/schemas/` and its
    /// name.
    ///
    /// ```
    /// use auth_runtime::Auth;
    /// # use axum::response::IntoResponse;
    /// use serde_json::json;
    ///
    /// # let builder = Auth::builder().render_rejections(|rejection, _| rejection.status().into_response());
    /// let builder = builder
    ///     .rejection_schema("application/json", json!({ "$ref": "#/components/schemas/Failed" }))
    ///     .rejection_component("Failed", json!({ "properties": { "error": { "$ref": "#/components/schemas/ErrorCode" } } }))
    ///     .rejection_component("ErrorCode", json!({ "type": "string" }));
    /// ```
    pub fn rejection_component(mut self, name: impl Into<String>, schema: Value) -> Self {
        self.rejection_components.insert(name.into(), schema);
        self
    }
}

/// How rejections are rendered, and where decisions are reported.
pub(super) fn assemble(builder: &mut AuthBuilder, errors: &mut ConfigErrors) -> Responses {
    builder.login_page.iter().filter_map(LoginPage::objection).for_each(|objection| errors.push(objection));
    Responses {
        form: form(builder, errors),
        realm: std::mem::take(&mut builder.realm),
        render: builder.render_hook.take(),
        login_page: builder.login_page.take(),
        audit_log: AuditLog::new(builder.audit_hook.take()),
    }
}

/// What is known of the form of rejections.
fn form(builder: &mut AuthBuilder, errors: &mut ConfigErrors) -> RejectionForm {
    let components = std::mem::take(&mut builder.rejection_components);
    let Some((content_type, schema)) = builder.rejection_schema.take() else {
        if let Some(name) = components.keys().next() {
            errors.push(format!(
                "`rejection_component({name:?}, ..)` is for the schema that `rejection_schema` sets, and that is not called: call it, or leave \
                 out the component"
            ));
        }
        return if builder.render_hook.is_some() { RejectionForm::Unknown } else { RejectionForm::Problem };
    };
    if builder.render_hook.is_none() {
        errors.push(
            "`rejection_schema(..)` is of the bodies that `render_rejections` renders, and that is not called: call it, or leave out the \
             schema of the standard form",
        );
    }
    if content_type.parse::<Mime>().is_err() {
        errors.push(format!(
            "`rejection_schema({content_type:?}, ..)` has no content type: write it as in `application/json`"
        ));
    }
    if !(schema.is_object() || schema.is_boolean()) {
        errors.push("`rejection_schema(.., ..)` has no JSON Schema: it is a JSON object, as in `json!({ \"type\": \"object\" })`");
    }
    RejectionForm::Own { content_type, schema, components }
}
