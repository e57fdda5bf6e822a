//! The cookies that tokens are in, and the errors of their options.

use std::sync::Arc;

use axum::http::Uri;

use super::AuthBuilder;
use crate::engine::TokenCookies;
use crate::error::ConfigErrors;
use crate::origin::{Origin, OriginPolicy};
use crate::source::{
    AccessCookie, CookieAttributes, CookieOptions, RefreshCookie, SameSite, is_for_one_host, without_prefix,
};

/// The cookies of the engine.
pub(super) fn assemble(
    builder: &mut AuthBuilder,
    origins: &OriginPolicy,
    errors: &mut ConfigErrors,
) -> TokenCookies {
    let options = std::mem::take(&mut builder.cookies);
    let secure = !builder.insecure_cookies;
    let for_all_paths = builder.renew_transparently;
    let [access, refresh] = options.names(secure, for_all_paths);
    check_names(&options, for_all_paths, errors);
    check_same_site(builder, &options, errors);
    check_domain(builder, &options, errors);
    check_clear_domains(&options, [&access, &refresh], errors);
    if !secure && origins.public.as_ref().is_some_and(Origin::is_https) {
        errors.push(
            "`dangerously_use_insecure_cookies()` is called and the public origin is https: remove the call in production",
        );
    }
    let attributes = Arc::new(CookieAttributes {
        secure,
        same_site: options.same_site,
        domain: options.domain,
        clear_domains: options.clear_domains,
    });
    TokenCookies {
        access: AccessCookie::new(access, Arc::clone(&attributes)),
        refresh: RefreshCookie::new(refresh, attributes, for_all_paths),
    }
}

fn check_names(options: &CookieOptions, for_all_paths: bool, errors: &mut ConfigErrors) {
    let names = [("name", &options.name), ("refresh_name", &options.refresh_name)];
    for (method, name) in names.into_iter().filter_map(|(method, name)| Some((method, name.as_ref()?))) {
        check_name(method, name, options, errors);
    }
    let access = options.name.as_deref().map_or("access_token", without_prefix);
    match &options.refresh_name {
        None if access.eq_ignore_ascii_case("refresh_token") => errors.push(format!(
            "`CookieOptions::name({:?})` is the default name of the refresh cookie: give the access cookie another name, or the refresh \
             cookie with `CookieOptions::refresh_name`",
            options.name.as_deref().unwrap_or_default(),
        )),
        Some(name) if without_prefix(name).eq_ignore_ascii_case(access) => errors.push(format!(
            "`CookieOptions::refresh_name({name:?})` is the name of the access cookie, because neither a prefix nor case makes a \
             difference: give the refresh cookie another name",
        )),
        // With a domain, no cookie of this name is stored for any path.
        Some(name) if is_for_one_host(name) && !for_all_paths && options.domain.is_none() => errors.push(format!(
            "browsers drop a cookie `{name}` with the path of the token routes, because `__Host-` requires `Path=/`: write \
             `.refresh_name(\"__Secure-{}\")`, or call `renew_transparently()`, with which the cookie is for all paths. Without it, no \
             path is certain here, also where `endpoints()` would give the cookie `Path=/`",
            without_prefix(name),
        )),
        _ => {}
    }
}

/// An error where no browser stores a cookie of this name.
fn check_name(method: &str, name: &str, options: &CookieOptions, errors: &mut ConfigErrors) {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
    if without_prefix(name).is_empty() || !name.bytes().all(is_token) {
        errors.push(format!(
            "`CookieOptions::{method}({name:?})` can't be the name of a cookie (RFC 6265 §4.1.1): use letters, digits, `-` and `_`, after \
             a prefix such as `__Host-`"
        ));
    }
    if let Some(domain) = options.domain.as_ref().filter(|_| is_for_one_host(name)) {
        let base = without_prefix(name);
        errors.push(format!(
            "browsers drop a cookie `{name}` with `CookieOptions::domain({domain:?})`, because `__Host-` binds it to one host: \
             write `.{method}(\"__Secure-{base}\")`, or leave out the domain"
        ));
    }
}

fn check_same_site(builder: &AuthBuilder, options: &CookieOptions, errors: &mut ConfigErrors) {
    if options.same_site != SameSite::None {
        return;
    }
    if builder.insecure_cookies {
        errors.push(
            "browsers drop cookies with `SameSite::None` and without `Secure`: leave out `dangerously_use_insecure_cookies()`, or \
             use another `SameSite` in development",
        );
    }
    if builder.trusted_origins.is_empty() {
        errors.push(
            "`SameSite::None` sends the cookies from pages of other sites, and none of these may use them: name their origins in \
             `trust_origin`, or leave out `SameSite::None`",
        );
    }
}

fn check_domain(builder: &AuthBuilder, options: &CookieOptions, errors: &mut ConfigErrors) {
    let Some(domain) = &options.domain else { return };
    if !is_domain(domain) {
        errors.push(not_a_domain("domain", domain));
        return;
    }
    let public = builder.public_origin.as_ref().and_then(|origin| origin.parse::<Uri>().ok());
    let host = public.as_ref().and_then(Uri::host).map(str::to_ascii_lowercase);
    if let Some(host) = host.filter(|host| !is_within(host, domain)) {
        errors.push(format!(
            "browsers drop cookies of `{host}`, the host of `public_origin`, with `CookieOptions::domain({domain:?})`: name that host \
             or a parent domain of it"
        ));
    }
}

fn check_clear_domains(options: &CookieOptions, names: [&str; 2], errors: &mut ConfigErrors) {
    let domains = &options.clear_domains;
    for domain in domains.iter().filter(|domain| !is_domain(domain)) {
        errors.push(not_a_domain("clear_domains", domain));
    }
    if !domains.is_empty() && names.into_iter().all(is_for_one_host) {
        errors.push(
            "`CookieOptions::clear_domains(..)` has no effect, because no browser has a cookie of a domain whose name begins with \
             `__Host-`: leave it out",
        );
    }
}

fn not_a_domain(method: &str, domain: &str) -> String {
    format!(
        "`CookieOptions::{method}` has {domain:?}, which is not a domain that several hosts can share: write it as in \
         `example.com`, without a leading dot, a port or a scheme, and in its ASCII form; an address has no subdomains"
    )
}

/// Whether the text is a domain of at least two labels, and no address (RFC 1123 §2.1).
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    // Where the last label begins with a digit, it is an IPv4 address, or none of the top-level domains that exist.
    let is_address = last.starts_with(|first: char| first.is_ascii_digit());
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) && !is_address
}

/// Whether the host is this domain or in it (RFC 6265bis §5.1.3).
fn is_within(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{is_domain, is_within};

    #[test]
    fn a_domain_is_a_domain() {
        for domain in ["example.com", "a.b.example", "xn--bcher-kva.example", "1and1.example", "a-b.example"]
        {
            assert!(is_domain(domain), "{domain}");
        }
        let long = format!("{}.example", "a".repeat(64));
        let longer = format!("{}example", "a.".repeat(124));
        for text in [
            "",
            ".",
            "example",
            "localhost",
            ".example.com",
            "example.com.",
            "a..b",
            "example.com:443",
            "10.0.0.1",
            "1.2.3.0x7f",
            "[::1]",
            "::1",
            "https://example.com",
            "example.com/",
            "*.example.com",
            "a b.example",
            "-a.example",
            "a-.example",
            "bücher.example",
            "a.example;Secure",
            "a_b.example",
            &long,
            &longer,
        ] {
            assert!(!is_domain(text), "{text}");
        }
    }

    #[test]
    fn a_host_is_within_its_domain_and_no_other() {
        for (host, domain, expected) in [
            ("example.com", "example.com", true),
            ("shop.example.com", "example.com", true),
            ("example.com", "shop.example.com", false),
            ("badexample.com", "example.com", false),
            ("example.com.evil.example", "example.com", false),
        ] {
            assert_eq!(is_within(host, domain), expected, "{host} in {domain}");
        }
    }
}
