//! The page as its texts meet it.

#[cfg(test)]
mod same_verdict;
#[cfg(test)]
mod trial;
