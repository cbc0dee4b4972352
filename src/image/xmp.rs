//! The digital source type of a picture, as the IPTC's vocabulary names it, in an XMP packet.

/// The keyword of the packet among the texts of a PNG file, by Adobe's specification of XMP.
pub(crate) const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// Where a picture comes from: a term of <http://cv.iptc.org/newscodes/digitalsourcetype/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigitalSource {
    /// Made by a trained model alone.
    Generated,
    /// Another picture, edited by a trained model.
    Edited,
}

impl DigitalSource {
    fn term(self) -> &'static str {
        match self {
            Self::Generated => "trainedAlgorithmicMedia",
            Self::Edited => "compositeWithTrainedAlgorithmicMedia",
        }
    }

    /// The packet that says it.
    pub(crate) fn xmp(self) -> String {
        // The first line has a byte order mark, by which readers find the encoding.
        format!(
            r#"<?xpacket begin="{mark}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/{term}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"#,
            mark = '\u{feff}',
            term = self.term()
        )
    }
}
