//! The links of a page.

use hyper::Uri;

/// What its `href="…"` lead to, as far as that is HTTP.
pub(crate) fn of_page(base: &Uri, html: &str) -> Vec<Uri> {
    let after = html.split("href=\"").skip(1);
    let links = after.filter_map(|rest| rest.split_once('"'));
    links.filter_map(|(link, _)| resolve(base, link)).collect()
}

/// Where a link leads to. Relative ones begin at the folder of the page; steps upwards are not followed.
pub(crate) fn resolve(base: &Uri, link: &str) -> Option<Uri> {
    let link = link.split('#').next().unwrap_or_default();
    let uri: Uri = if link.starts_with("http://") {
        link.parse().ok()?
    } else if link.is_empty() || link.contains(':') || link.contains("..") || link.starts_with("//")
    {
        return None;
    } else {
        let folder = match base.path().rsplit_once('/') {
            Some((folder, _)) if !link.starts_with('/') => format!("{folder}/"),
            _ => String::new(),
        };
        format!("http://{}{folder}{link}", base.authority()?)
            .parse()
            .ok()?
    };
    Some(uri)
}
