//! Connects a view with its template and its navigation section. The names of variants that a template uses are
//! resolved where the macro is called.

macro_rules! page {
    ($view:ty, $path:tt) => {
        $crate::web::html::page!(@ $view, $path, None);
    };
    ($view:ty, $path:tt, $section:ident) => {
        $crate::web::html::page!(@ $view, $path, Some($crate::web::html::chrome::Section::$section));
    };
    (@ $view:ty, $path:tt, $section:expr) => {
        impl $crate::web::html::frame::View for $view {
            fn section(&self) -> Option<$crate::web::html::chrome::Section> {
                $section
            }

            fn write(&self, frame: &$crate::web::html::frame::Frame<'_>) -> Result<String, askama::Error> {
                #[derive(askama::Template)]
                #[template(path = $path)]
                struct Page<'a> {
                    v: &'a $view,
                    f: &'a $crate::web::html::frame::Frame<'a>,
                }
                askama::Template::render(&Page { v: self, f: frame })
            }
        }
    };
}
pub(crate) use page;

/// Title, explanation and next step of each variant, as the texts of three keys.
macro_rules! three_texts {
    ($t:expr, match $value:expr => { $($variant:pat => ($title:ident, $happened:ident, $next:ident)),+ $(,)? }) => {
        match $value {
            $($variant => ($t.$title(), $t.$happened(), $t.$next()),)+
        }
    };
}
pub(crate) use three_texts;
