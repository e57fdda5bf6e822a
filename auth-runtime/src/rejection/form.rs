//! What is known of the bodies of rejections, for the OpenAPI document.

use serde_json::{Map, Value};

/// The form of the bodies of rejections.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "openapi"), allow(dead_code, reason = "it is for the OpenAPI document"))]
pub(crate) enum RejectionForm {
    /// A problem document (RFC 9457).
    Problem,
    /// What the application says of the answers of its hook.
    Own {
        content_type: String,
        schema: Value,
        /// What the schema refers to, by name.
        components: Map<String, Value>,
    },
    /// That of a hook of the application, which says nothing of it.
    Unknown,
}
